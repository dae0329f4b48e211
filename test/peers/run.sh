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
if [ "${1:-}" = --part ]; then exec node test/corpus/run.ts --peers --without-network; fi
exec node test/corpus/run.ts --peers
