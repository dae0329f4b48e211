#!/bin/sh
# The README's two commands on a bare Debian 12: a root file system by debootstrap with gcc, and this machine's Node and
# npm in it, nothing else. Needs root and debootstrap; takes some minutes.
set -eu
cd "$(dirname "$0")/../.."
node=$(command -v node); npm=$(readlink -f "$(command -v npm)")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
cache=${TSBUILD_TEST_CACHE:-.cache}/bases/debian.tar
mkdir -p "$root"
if [ -e "$cache" ]; then tar -C "$root" -xf "$cache"; else debootstrap --variant=minbase --include=ca-certificates bookworm "$root"; fi
mkdir -p "$root/opt/node/bin" "$root/opt/node/lib/node_modules" "$root/old"
cp "$(readlink -f "$node")" "$root/opt/node/bin/node"
cp -a "$(dirname "$(dirname "$npm")")" "$root/opt/node/lib/node_modules/npm"
for name in npm npx; do ln -s "../lib/node_modules/npm/bin/$name-cli.js" "$root/opt/node/bin/$name"; done
cp /etc/resolv.conf "$root/etc/"
# As Debian's installer writes it.
printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' > "$root/etc/hosts"
# What this machine trusts and where its packages come from.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
[ ! -e "$HOME/.npmrc" ] || cp "$HOME/.npmrc" "$root/root/"
git clone -q . "$root/root/tsbuild"
cat > "$root/root/commands" <<'C'
set -e
apt-get update -q > /dev/null
apt-get install -y -q --no-install-recommends gcc libc6-dev > /dev/null 2>&1
cd /root/tsbuild
echo "== npm ci && npm run hello, on Node $(node --version)"
npm ci && npm run hello
echo "== npm ci && npm test"
npm ci && npm test
C
bundle=/etc/ssl/certs/ca-certificates.crt
# The new root is entered by pivot_root: in a chroot that is no mount no container can be made.
export root bundle
unshare --mount --pid --fork sh -euc '
  mount --make-rprivate /
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  cd "$root"
  pivot_root . old
  umount -l /old
  exec env -i HOME=/root LANG=C.UTF-8 SSL_CERT_FILE="$bundle" NODE_EXTRA_CA_CERTS="$bundle" \
    PATH=/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh /root/commands'
