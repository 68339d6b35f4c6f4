#!/bin/bash
# Carries out the steps of a Dockerfile where no engine is at hand, and becomes the container's process. Every stage is a
# layer in memory over the files of this machine, which stand for the image that it starts from; of these, only node is put in
# its place. Status 42 says that this machine does not let it.
#
# boot-image.sh <empty folder> <folder to copy from> <program node> <steps, as calls of the functions below>
set -eu
base=$1 context=$2 node=$3 steps=$4

stage() { # <name>
  root=$base/$1/root folder=/
  mkdir -p "$base/$1/upper" "$base/$1/work" "$root"
  mount -t overlay -o "lowerdir=/,upperdir=$base/$1/upper,workdir=$base/$1/work" overlay "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  touch "$root/usr/local/bin/node"
  mount --bind "$node" "$root/usr/local/bin/node"
}

workdir() { # <absolute path>
  folder=$1
  mkdir -p "$root$folder"
}

copy() { # <stage, or nothing for the context> <sources, which are relative to its root> <target>
  local from=$context target=${*: -1} source
  [ -z "$1" ] || from=$base/$1/root
  [[ $target == /* ]] || target=$folder/$target
  for source in "${@:2:$#-2}"; do
    if [ -d "$from/$source" ]; then
      mkdir -p "$root$target"
      cp -a "$from/$source/." "$root$target/"
    else
      cp -a "$from/$source" "$root$target"
    fi
  done
}

run() { # <command line of a shell>
  chroot "$root" /bin/sh -ec "cd $folder; $1"
}

# The rest is what an engine makes of compose.yaml: a root that cannot be written, a volume, secrets, a network of its own, no
# capability and no way to one.
container() { # <user:group> <volume> <settings of env, then program and arguments>
  local user=${1%:*} group=${1#*:} volume=$2
  shift 2
  cp -a "$root$volume" "$base/volume"
  mount --bind "$base/volume" "$root$volume"
  mount -t tmpfs -o "size=16m,mode=0700,uid=$user,gid=$group" tmpfs "$root/tmp"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mkdir "$root/run/secrets" "$root/old"
  (umask 077; head -c 32 /dev/urandom | base64 > "$root/run/secrets/passphrase")
  chown "$user:$group" "$root/run/secrets/passphrase"
  mount -o remount,bind,ro "$root"
  cd "$root"
  pivot_root . old
  umount -l /old
  local drop=(setpriv --reuid "$user" --regid "$group" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs)
  exec unshare --net /bin/bash -ec 'ip link set lo up; cd "$0"; exec "$@"' "$folder" "${drop[@]}" \
    env -i PATH=/usr/local/bin:/usr/bin:/bin "$@"
}

try() {
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$base"
  mkdir "$base/lower" "$base/upper" "$base/work" "$base/root"
  mount -t overlay -o "lowerdir=$base/lower,upperdir=$base/upper,workdir=$base/work" overlay "$base/root"
  umount "$base/root"
}

# In a condition, set -e would hold nowhere in the function.
set +e
(set -e; try)
[ $? -eq 0 ] || exit 42
set -e
eval "$steps"
