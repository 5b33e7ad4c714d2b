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
    echo force-unsafe-io >"build/roots/$suite/etc/dpkg/dpkg.cfg.d/throwaway"
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

# boot_root ROOT LOG: starts the systemd of that root, in namespaces of its own. It sets booted_pid, the process of that
# systemd as this machine sees it. It fails where systemd does not start, such as without cgroups. end_booted ends it.
boot_root() {
  # shellcheck disable=SC2016  # expanded in there
  unshare --mount --pid --fork --uts --ipc --net --cgroup --kill-child bash -ec '
    mount --make-rprivate / && cd "$1"
    mount --bind "$1" "$1" && cd "$1"
    mount -t proc proc proc && mount -t sysfs sysfs sys
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
      mount -t cgroup2 cgroup2 sys/fs/cgroup
    else
      mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup && mkdir sys/fs/cgroup/systemd
      mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
    fi
    mount -t tmpfs -o mode=755 tmpfs dev && mkdir dev/pts dev/shm
    for device in null zero full random urandom tty; do touch dev/$device && mount --bind /dev/$device dev/$device; done
    mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts && ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd && mount -t tmpfs tmpfs dev/shm
    mount -t tmpfs -o mode=755 tmpfs run && mount -t tmpfs tmpfs tmp
    # Not chroot: in a changed root the kernel makes no user namespace, which PrivateUsers= needs.
    mkdir -p old && pivot_root . old && umount -l old
    mount --make-rshared /  # so that credentials reach the services
    exec env -i container=docker PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=console' bash "$1" \
    >"$2" 2>&1 </dev/null &
  booted_job=$!
  local waited
  for waited in $(seq 60); do
    sleep 1
    kill -0 $booted_job 2>/dev/null || return 1
    booted_pid=$(pgrep -P "$booted_job" -x systemd) || continue
    case $(in_booted "systemctl is-system-running") in running | degraded) return 0 ;; esac
  done
  echo "systemd is not up after $waited s"
  end_booted
  return 1
}

# in_booted LINES: runs lines of bash in the booted system, as in_root does.
in_booted() {
  nsenter --target "$booted_pid" --mount --uts --ipc --net --pid --root --wd env -i HOME=/root LC_ALL=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -ec "no() { ! \"\$@\"; }; $1" </dev/null
}

end_booted() {
  kill -KILL "$booted_job" 2>/dev/null || true
  wait "$booted_job" 2>/dev/null || true
}
