#!/bin/sh
# Builds the one native piece: the static executable that starts containers.
set -eu
cd "$(dirname "$0")"
mkdir -p build
${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -Werror -static -o "build/tsbuild-init.$$" init/*.c
strip "build/tsbuild-init.$$"
mv "build/tsbuild-init.$$" build/tsbuild-init
