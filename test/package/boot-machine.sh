#!/bin/bash
# Boots systemd as PID 1 of the namespaces that this runs in, over the files of this machine. What is written goes to memory
# and ends with it. Status 42 says that this machine does not let it: no rights, or a kernel without overlays.
#
# boot-machine.sh <empty folder> <folder to see as /srv/package> <script that prepares it, run in that folder with the network>
set -eu
base=$1 package=$2 prepare=$3

lay_out() {
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$base"
  mkdir "$base/upper" "$base/work" "$base/root"
  mount -t overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" overlay "$base/root"
  cd "$base/root"
  mount -t proc proc proc
  mount -t sysfs -o ro sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs -o mode=1777 tmpfs tmp
  mount -t tmpfs -o mode=755 tmpfs dev
  mkdir dev/shm dev/pts
  mount -t tmpfs -o mode=1777 tmpfs dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
  local device
  for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
  done
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  # Services of this machine are none of the other's.
  mount -t tmpfs -o mode=755 tmpfs etc/systemd/system
  mkdir -p srv/package
  mount --bind "$package" srv/package
}

# In a condition, set -e would hold nowhere in the function.
set +e
(set -e; lay_out)
[ $? -eq 0 ] || exit 42
set -e

cd "$base/root"
chroot . /bin/bash -ec "cd /srv/package; $prepare"

mkdir -p old
pivot_root . old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin unshare --net /bin/bash -c '
  umount -l /old
  # As systemd does it where it is not in a container: what it mounts for a service must reach the service.
  mount --make-rshared /
  exec /lib/systemd/systemd --system --unit=basic.target --log-target=journal --show-status=no'
