# Bare Debian systems in folders, for campaigns. This file is sourced, not run. It needs root and debootstrap.
# shellcheck shell=bash

# debian_mirror: the address that this machine installs Debian's own packages from.
debian_mirror() {
  # shellcheck disable=SC2016  # apt fills them in
  apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    sed -nE 's/^([^ ]+) Debian [a-z]+ main$/\1/p' | head -n 1
}

# make_root SUITE FOLDER: a minimal system of that suite. What debootstrap makes is kept in build/roots.
make_root() {
  local suite=$1 root=$2 kept=build/roots/$1.tar mirror
  if [ ! -s "$kept" ]; then
    mkdir -p build/roots
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || { echo "no mirror of Debian in this machine's apt configuration" >&2; return 1; }
    rm -rf "build/roots/$suite"
    debootstrap --variant=minbase "$suite" "build/roots/$suite" "$mirror" || return 1
    apt-config dump Acquire | grep -E '^Acquire::(http|https|Retries)' | grep -vi 'auth' \
      >"build/roots/$suite/etc/apt/apt.conf.d/99machine" || true
    printf '#!/bin/sh\nexit 101\n' >"build/roots/$suite/usr/sbin/policy-rc.d"
    chmod 755 "build/roots/$suite/usr/sbin/policy-rc.d"
    tar -C "build/roots/$suite" -cf "$kept.new" . && mv "$kept.new" "$kept" && rm -rf "build/roots/$suite"
  fi
  mkdir -p "$root" && tar -C "$root" -xf "$kept" && cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
}

# in_root ROOT COMMAND: runs lines of bash in it, as root. The first that fails ends it, and `no COMMAND` fails if
# COMMAND does not. Its mounts and processes end with it.
# in_root --alone ROOT COMMAND: also with a network of its own, where it reaches nothing but itself.
in_root() {
  local apart=()
  if [ "$1" = --alone ]; then
    apart=(--net)
    shift
  fi
  # shellcheck disable=SC2016  # expanded in there
  unshare --mount --pid --fork --kill-child "${apart[@]}" bash -c '
    mount --make-rprivate / && mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
      mount -t tmpfs tmpfs "$1/dev/shm" || exit 1
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
      DEBIAN_FRONTEND=noninteractive chroot "$1" bash -ec "no() { ! \"\$@\"; }; $2"' bash "$1" "$2" </dev/null
}

# install_in ROOT PACKAGE…
install_in() {
  in_root "$1" "apt-get update -qq && apt-get install -y -qq --no-install-recommends ${*:2}"
}
