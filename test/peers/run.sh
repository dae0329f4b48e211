#!/bin/sh
# What compares with Debian's docker, skopeo, podman and umoci. Installs them itself; needs root.
# --part: only those cases of the corpus that need no packages from a network.
set -eu
cd "$(dirname "$0")/../.."
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
missing=
for pair in dockerd:docker.io skopeo:skopeo podman:podman umoci:umoci runc:runc docker-registry:docker-registry \
  debootstrap:debootstrap xz:xz-utils bzip2:bzip2 busybox:busybox-static iptables:iptables; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
if [ -n "$missing" ]; then
  # shellcheck disable=SC2086
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } >&2
fi
npm run -s build:native
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
TSBUILD_PEERS=1 vitest run --project peers --reporter=default --reporter=json --outputFile.json="$report" || status=1
node test/summary.ts "$report"
if [ "${1:-}" = --part ]; then node test/corpus/run.ts --peers --without-network || status=1
else node test/corpus/run.ts --peers || status=1; fi
exit "$status"
