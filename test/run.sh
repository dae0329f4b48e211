#!/bin/sh
# All tests that a machine can run without peers. Installs by itself what it needs beyond Node 20, npm and gcc.
# Ends with one line: N passed, N failed.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
export PATH

need() {
  command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
missing=
need cc "gcc libc6-dev"
need xz xz-utils
need bzip2 bzip2
need newuidmap uidmap
need git git
[ -x /bin/busybox ] || missing="$missing busybox-static"
if [ -n "$missing" ] && [ "$(id -u)" = 0 ]; then
  # shellcheck disable=SC2086
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } >&2
fi

npm run -s build:native
npm run -s bundle
npm run -s format
npm run -s lint
npm run -s types
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
vitest run --reporter=default --reporter=json --outputFile.json="$report" || status=$?
node test/summary.ts "$report"
exit "$status"
