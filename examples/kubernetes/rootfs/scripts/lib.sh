# Shared by the scripts of this rootfs; sourced, never run.
# shellcheck shell=bash disable=SC2034

ROOTFS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PROGRAMS=/usr/local/bin
UNITS=/etc/systemd/system
CNI_PROGRAMS=/opt/cni/bin
# Services that had to give way, one name a line, so that they can be started again.
STOPPED_SERVICES=$(dirname "$ROOTFS")/stopped-services

# Whatever an account's own PATH is: these come first, ours before all.
export PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# Set by what follows when it changes a file: a caller that restarts something clears it before.
CHANGED=no

# install_program SOURCE TARGET: a hard link where the filesystem is one, else a copy.
install_program() {
  if cmp -s "$1" "$2"; then return; fi
  mkdir -p "$(dirname "$2")"
  ln -f "$1" "$2.new" 2>/dev/null || cp --reflink=auto "$1" "$2.new"
  chmod 755 "$2.new"
  mv -f "$2.new" "$2"
  CHANGED=yes
}

# install_text SOURCE TARGET: always a copy: whoever edits it does not edit the rootfs.
install_text() {
  if cmp -s "$1" "$2"; then return; fi
  mkdir -p "$(dirname "$2")"
  cp "$1" "$2.new"
  chmod 644 "$2.new"
  mv -f "$2.new" "$2"
  CHANGED=yes
}

# is_ours UNIT: whether a unit of systemd is one of this image, whatever was edited in it.
is_ours() {
  grep -qs '^# of a cluster image' "$UNITS/$1"
}

# remove_installed SOURCE TARGET: only what is ours still.
remove_installed() {
  if cmp -s "$1" "$2"; then rm -f "$2"; fi
}

# remove_empty DIRECTORY...: those with nothing in them that is not ours.
remove_empty() {
  rmdir --ignore-fail-on-non-empty "$@" 2>/dev/null || true
}

# empty_directory DIRECTORY...: with everything in it, but the directory itself, which may be a disk of its own.
empty_directory() {
  local directory
  for directory in "$@"; do
    if [ -d "$directory" ]; then find "$directory" -xdev -mindepth 1 -delete; fi
  done
}

# unmount_below DIRECTORY...: what is mounted in it, deepest first, but not the directory itself.
unmount_below() {
  local directory
  for directory in "$@"; do
    awk -v below="$directory/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r mounted; do
      umount "$mounted" 2>/dev/null || umount --lazy "$mounted"
    done
  done
}
