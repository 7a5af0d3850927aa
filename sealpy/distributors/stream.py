"""One tar stream from here to each host.

The host says which files it has, by digest; only the others travel. They are unpacked beside the rootfs, verified
there, and only then put in place: a rootfs that is not there yet appears by one rename, files of one that is there are
replaced by links to whole files. The mark with the digest of the tree is written last. A stream that was cut leaves its
whole files in `incoming`, and the next one sends the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from sealpy.distributors.tree import Tree, TreeFile
from sealpy.image.payload import Item, TreePayload
from sealpy.image.tarball import Member
from sealpy.inventory import Facts
from sealpy.sdk import Ask, Result, Run, Send, Steps

__all__ = ["MARK", "Stream"]

MARK = "rootfs"

# sha256 of the paths on standard input (each ended by NUL), as lines `<sha256> *<path>`, on every processor at once;
# each writes to a file of its own, since lines of several writers to one pipe may mix. OpenSSL uses the instructions
# that the processor has for it, coreutils mostly do not: four times as fast where it is there.
_SUMS = r"""sums() {
  parts=$(mktemp -d) && split -t '\0' -n r/"$(nproc)" - "$parts/part."
  if command -v openssl >/dev/null 2>&1; then set -- openssl dgst -sha256 -r --; else set -- sha256sum -b --; fi
  for part in "$parts"/part.*; do xargs -0 -r "$@" < "$part" > "$part=" & done
  wait
  cat "$parts"/*=
  rm -rf "$parts"
}
"""

# $1 the directory of the cluster. Prints the index of the rootfs as lines `I …`, and of each file in the rootfs or left
# by a stream that was cut `<where> M <mode>[,<owner>:<group>] <path>` and `<where> <sha256> *<path>`.
_PRESENT = (
    _SUMS
    + r"""
cd "$1" 2>/dev/null || exit 0
[ -f rootfs.index ] && sed 's/^/I /' rootfs.index
for place in rootfs incoming/files; do
  [ -d "$place" ] || continue
  (cd "$place" &&
    find . -type f \( -user "$(id -u)" -group "$(id -g)" -printf 'M %m %P\n' -o -printf 'M %m,%U:%G %P\n' \) &&
    find . -type f -printf '%P\0' | sums) | sed "s|^|$place |"
done
"""
)

# $1 a rootfs; paths in it on standard input, each ended by NUL. Prints what _PRESENT does, of those that are files.
_HELD = (
    _SUMS
    + r"""
cd "$1" 2>/dev/null || exit 0
list=$(mktemp)
xargs -0 -r sh -c 'for file; do [ -f "$file" ] && [ ! -L "$file" ] && printf "%s\0" "$file"; done; true' sh > "$list"
xargs -0 -r stat -c 'rootfs M %a,%u:%g %n' < "$list" | sed "s/,$(id -u):$(id -g) / /"
sums < "$list" | sed 's/^/rootfs /'
rm -f "$list"
"""
)

# $1 a rootfs, $2 the directory that is delivered to; paths in the rootfs on standard input, each ended by NUL. A link
# costs no room; where there cannot be one, the file is copied.
_TAKE = r"""set -eu
umask 022
mkdir -p "$2/incoming/files"
cd "$1"
xargs -0 -r sh -c '
cp --parents --link --force -t "$0" -- "$@" 2>/dev/null || cp --parents -p --force -t "$0" -- "$@"
' "$2/incoming/files"
"""

# $1 the directory of the cluster, $2 the digest of the tree. The stream stands on standard input. What applications
# have put into the registry beside the image's own stays there, though an older image had it and this one has not.
_RECEIVE = (
    _SUMS
    + r"""set -eu
fail() { echo "$1" >&2; exit 1; }
umask 022
mkdir -p "$1/incoming/files" "$1/marks"
cd "$1/incoming"
rm -rf meta
rm -f ../marks/rootfs
hash="sha256sum -b --"
if command -v openssl >/dev/null 2>&1; then hash="openssl dgst -sha256 -r --"; fi
# tar names a file when it begins it, so the one named before is whole: it is read back while the next ones arrive.
# Where the lines of several readers mix, their files are read once more below.
# 64 KiB at a time: by its own 10 it takes 1.4 times the processor, and sshd twice the messages to let us go on.
{ tar --blocking-factor=128 --numeric-owner --quoting-style=literal -xpvf - || : > failed; } | {
  before=
  while IFS= read -r name; do
    case $before in files/*[!/]) printf '%s\0' "$before";; esac
    before=$name
  done
  case $before in files/*[!/]) printf '%s\0' "$before";; esac
} | xargs -0 -r -n 16 -P "$(nproc)" $hash > proved 2>/dev/null || true
[ ! -e failed ] || { rm -f failed; fail "the stream could not be unpacked"; }
[ -f meta/sums ] || fail "the stream ended too early"
printf '%s  meta/index\n' "$2" | sha256sum -c --status || fail "the index arrived other than it was sent"
(cd files && xargs -0 -r rm -f --) < meta/stale
LC_ALL=C sort -u proved | LC_ALL=C comm -23 meta/sums - > meta/wanted
cut -d'*' -f2- < meta/wanted | tr '\n' '\0' | sums | LC_ALL=C sort > meta/actual
cmp -s meta/wanted meta/actual || {
  LC_ALL=C comm -23 meta/actual meta/wanted | while read -r _ path; do rm -f "${path#\*}"; done
  fail "$(LC_ALL=C comm -13 meta/actual meta/wanted | wc -l) files arrived other than they were sent"
}
if [ -d ../rootfs ]; then
  (cd ../rootfs && xargs -0 -r rm -rf --) < meta/removed
  cp -a --link --remove-destination files/. ../rootfs/
else
  mv files ../rootfs
fi
mv meta/index ../rootfs.index
cd .. && rm -rf incoming
for own in applications/*/rootfs/registry; do
  [ -d "$own" ] && [ -d rootfs/registry ] || continue
  (cd "$own" && find . -type f -exec sh -c 'for file; do [ -e "$0/$file" ] || printf "%s\0" "$file"; done' \
    ../../../../rootfs/registry {} + | xargs -0 -r cp --parents --link -t ../../../../rootfs/registry --)
done
printf %s "$2" > marks/.rootfs && mv marks/.rootfs marks/rootfs
"""
)


class Stream:
    """Deliver over the connection of each host, from here, N times for N hosts."""

    def __init__(self, directory: str) -> None:
        """Take the directory of the cluster on the hosts, `<dataRoot>/<cluster>`."""
        self._directory = directory

    @staticmethod
    def held(paths: Iterable[str], rootfs: str) -> Steps:
        """Ask which of these files another rootfs on the host holds; returns sha256 and mode of each by its path."""
        answer: Result = yield Ask(
            "ask what is there already", "sh", "-c", _HELD, "sh", rootfs, stdin=_listed(paths), timeout=900
        )
        _, found = _parse(answer.lines)
        return {path: what for (_, path), what in found.items()}

    def take(self, title: str, paths: Collection[str], rootfs: str) -> Run:
        """Give the step that takes files out of another rootfs on the host; the next delivery verifies them."""
        return Run(title, "sh", "-c", _TAKE, "sh", rootfs, self._directory, stdin=_listed(paths))

    def deliver(self, tree: Tree, facts: Facts, *, taken: Collection[str] = ()) -> Steps:
        """Yield the steps for one host; none when its mark says that it has this tree.

        Files that were `taken` just before are there, whatever the facts say; a rehearsal has not taken them.
        """
        if facts.marked(MARK, tree.digest):
            return
        index: frozenset[str] = frozenset()
        present: dict[tuple[str, str], tuple[str, str]] = {}
        if facts.present:
            answer: Result = yield Ask("ask what is there", "sh", "-c", _PRESENT, "sh", self._directory, timeout=900)
            index, present = _parse(answer.lines)
        present |= {("incoming/files", path): (tree.files[path].sha256, tree.files[path].mode) for path in taken}
        missing = [file for file in tree.files.values() if not _has(present, file)]
        payload = TreePayload(_stream(tree, missing, index=index, present=present))
        if not any(file.sha256 for file in missing):
            yield Run(
                "put files in place",
                *("sh", "-c", _RECEIVE, "sh", self._directory, tree.digest),
                stdin=b"".join(payload.chunks()),
            )
            return
        size = sum(file.item.member.size for file in missing)
        title = f"send {sum(1 for file in missing if file.sha256)} files, {size / 1e6:.1f} MB"
        yield Send(title, "sh", "-c", _RECEIVE, "sh", self._directory, tree.digest, payload=payload)


def _listed(paths: Iterable[str]) -> bytes:
    return b"".join(path.encode() + b"\0" for path in paths)


def _has(present: dict[tuple[str, str], tuple[str, str]], file: TreeFile) -> bool:
    return any(_same(file, present.get((place, file.path))) for place in ("rootfs", "incoming/files"))


def _same(file: TreeFile, found: tuple[str, str] | None) -> bool:
    return found == (file.sha256, file.mode)


def _parse(lines: Iterable[str]) -> tuple[frozenset[str], dict[tuple[str, str], tuple[str, str]]]:
    """Give the paths of the old index, and sha256 and mode of each file by place and path."""
    index: set[str] = set()
    modes: dict[tuple[str, str], str] = {}
    sums: dict[tuple[str, str], str] = {}
    for line in lines:
        place, _, rest = line.partition(" ")
        if place == "I":
            index.add(rest.split(" ", 4)[4])
        elif rest.startswith("M "):
            _, mode, path = rest.split(" ", 2)
            modes[place, path] = mode
        else:
            digest, _, path = rest.partition(" *")
            sums[place, path] = digest
    return frozenset(index), {key: (digest, modes.get(key, "")) for key, digest in sums.items()}


def _stream(
    tree: Tree,
    missing: Iterable[TreeFile],
    *,
    index: frozenset[str],
    present: dict[tuple[str, str], tuple[str, str]],
) -> list[Item]:
    """List what travels: first what the host needs to verify and place the files, then the missing ones.

    Files that an earlier stream left in `incoming` are verified again with the rest. What the old index named and the
    tree does not is removed; what neither names (certificates, state) is left alone.
    """
    sent = list(missing)
    paths = {file.path for file in sent}
    left = {path: found for (place, path), found in present.items() if place != "rootfs" and path not in paths}
    kept = [tree.files[path] for path in left if path in tree.files and _same(tree.files[path], left[path])]
    stale = left.keys() - {file.path for file in kept}
    sums = sorted(f"{file.sha256} *files/{file.path}\n".encode() for file in (*sent, *kept) if file.sha256)
    meta = {
        "meta/index": tree.index.encode(),
        "meta/stale": b"".join(path.encode() + b"\0" for path in sorted(stale)),
        "meta/removed": b"".join(path.encode() + b"\0" for path in sorted(index - tree.files.keys())),
        "meta/sums": b"".join(sums),
    }
    items = [Item(Member("meta", "dir", 0o700))]  # for root alone: a short secret can be guessed by a file's digest
    items += [Item(Member(path, "file", 0o600, len(data)), data) for path, data in meta.items()]
    items.append(Item(Member("files", "dir", 0o755)))
    return items + [_below_files(file) for file in sent]


def _below_files(file: TreeFile) -> Item:
    return Item(replace(file.item.member, path=f"files/{file.path}"), file.item.source)
