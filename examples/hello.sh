#!/bin/sh
# The main job from nothing: makes the base image that the example stands on, builds the example and runs it.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
if [ ! -x /bin/busybox ]; then
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends busybox-static; } >&2
fi
npm run -s build:native
: "${TSBUILD_ROOT:=/var/lib/tsbuild}"
export TSBUILD_ROOT
node test/rig/make-base.ts "$TSBUILD_ROOT" busybox
builder/cli/tsbuild -t hello examples/hello
builder/cli/tsbuild run hello
