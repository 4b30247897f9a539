#!/bin/sh
# Copies programs and the libraries that they load into a root file system of their own, with busybox for everything else.
#   sh deploy/rootfs.sh TARGET PROGRAM...
# The base image holds a package manager, a C library's character sets, Perl: a third of the size of the whole image.
set -eu
root=$1
shift
mkdir -p "$root"
cd "$root"
mkdir -p dev etc/ssl/certs home proc root run sys usr/bin usr/sbin usr/lib usr/lib64 usr/local/bin var/lib var/log tmp var/tmp
chmod 1777 tmp var/tmp
for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$dir"; done

# One file, at the path that has no link in it: /bin/x and /usr/bin/x are one.
put() {
  dir=$(readlink -f "$(dirname "$1")")
  mkdir -p ".$dir"
  [ -e ".$dir/$(basename "$1")" ] || cp -L "$1" ".$dir/$(basename "$1")"
}
libraries() {
  ldd "$1" | sed -nE 's/^(.* => )?[[:space:]]*(\/[^ ]+) \(0x.*/\2/p' | while read -r library; do put "$library"; done
}
for program in busybox "$@"; do
  path=$(command -v "$program")
  real=$(readlink -f "$path")
  put "$real"
  libraries "$real"
  dir=$(readlink -f "$(dirname "$path")")
  mkdir -p ".$dir"
  [ -e ".$dir/$program" ] || ln -s "$real" ".$dir/$program"
done
# Loaded by iptables when a rule names them.
for plugin in /usr/lib/*/xtables/*.so; do
  put "$plugin"
  libraries "$plugin"
done
cp -L /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/
if [ -d /etc/iproute2 ]; then cp -RL /etc/iproute2 etc/; fi
for applet in $(busybox --list); do
  [ -e "usr/bin/$applet" ] || [ -e "usr/sbin/$applet" ] || ln -s busybox "usr/bin/$applet"
done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\norrery:x:1000:1000::/home/orrery:/bin/sh\n' > etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\norrery:x:1000:\n' > etc/group
printf 'passwd: files\ngroup: files\nhosts: files dns\n' > etc/nsswitch.conf
ldconfig -r .
