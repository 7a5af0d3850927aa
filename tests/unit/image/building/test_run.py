"""RUN: commands in the rootfs, by whoever builds; needs a kernel that gives namespaces to who asks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sealpy.errors import KubefileError
from sealpy.events import Event, TaskOutput
from sealpy.image.archive.formats import Format
from sealpy.image.archive.save import pack, save
from sealpy.image.building.build import build
from sealpy.image.building.wish import Wish
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.store.check import check

TOOLS = ("sh", "cat", "mkdir", "rm", "ls", "chmod", "mkfifo", "sleep", "mv")
REPOSITORY = Path(__file__).parents[4]


def gives_namespaces() -> bool:
    """Tell whether this kernel lets us do what RUN does."""
    asked = subprocess.run(["unshare", "--map-root-user", "--mount", "--pid", "--fork", "true"], check=False)
    return asked.returncode == 0


pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not gives_namespaces(), reason="this kernel gives no namespaces"
)


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a rootfs with a shell: programs of this machine, with the libraries that they name."""
    root = tmp_path_factory.mktemp("tools")
    for name in TOOLS:
        program = shutil.which(name)
        assert program is not None
        named = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for path in (f"/bin/{name}", *re.findall(r"(/\S+) \(", named)):
            place = root / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(program if path == f"/bin/{name}" else path, place)
    return root


class Site:
    def __init__(self, root: Path, tools: Path) -> None:
        self.context = root / "context"
        shutil.copytree(tools, self.context / "tools", copy_function=os.link)
        self.store = Store(root / "images")
        self.events: list[Event] = []

    def build(self, *lines: str, **options: Any) -> ClusterImage:
        self.events.clear()
        (self.context / "Kubefile").write_text("\n".join(("FROM scratch", "COPY tools /", *lines)) + "\n")
        wish = Wish(kubefile=self.context / "Kubefile", context=self.context, tag=Reference.parse("x:1"), **options)
        return build(wish, store=self.store, emit=self.events.append).images[0]

    def said(self) -> list[str]:
        return [event.line for event in self.events if isinstance(event, TaskOutput)]


@pytest.fixture
def site(tmp_path: Path, tools: Path) -> Site:
    return Site(tmp_path, tools)


def text(image: ClusterImage, path: str) -> str:
    return image.read(path).decode()


def test_what_a_command_leaves_is_a_layer(site: Site) -> None:
    image = site.build("RUN mkdir -p etc/x && cat /bin/../dev/null > /etc/x/y && rm bin/mv", "RUN chmod 700 etc")
    assert text(image, "etc/x/y") == ""
    assert "bin/mv" not in image.files
    assert image.files["etc"].mode == 0o700
    first, second = list(image.layers.values())[1:]
    assert {entry.path for entry in first} == {"bin", "bin/.wh.mv", "etc", "etc/x", "etc/x/y"}
    assert {entry.path for entry in second} == {"etc"}


def test_files_that_are_lent_to_a_command_are_in_no_layer(site: Site) -> None:
    image = site.build("RUN ls /dev /proc/self /tmp > /seen && cat /proc/sys/kernel/hostname && ls -a /tmp > /tmp/x")
    assert {"null", "urandom", "environ"} <= set(text(image, "seen").split())
    assert site.said() == ["build"]
    assert not any(path.startswith(("dev", "proc", "tmp")) for path in image.files)


def test_arguments_and_variables_are_in_the_environment_and_variables_win(site: Site) -> None:
    image = site.build(
        "ARG A=arg", "ARG B=1", "ENV B=env", "RUN echo \"$A $B '$A' $HOME\" '$A' > /seen", build_args={"A": "given"}
    )
    assert text(image, "seen") == "given env 'given' /root $A\n"


def test_a_command_may_be_words_a_script_or_a_script_with_its_own_reader(site: Site) -> None:
    site.build(
        'RUN ["cat", "/proc/self/comm"]',
        "RUN <<EOF", "x=two", 'echo one; echo "$x"', "EOF",
        "RUN <<EOF", "#!/bin/sh -x", "echo three", "EOF",
    )  # fmt: skip
    assert site.said() == ["cat", "one", "two", "+ echo three", "three"]


def test_commands_and_copies_see_what_went_before(site: Site) -> None:
    (site.context / "a").write_text("copied")
    image = site.build("RUN echo 1 > /one", "COPY a one", "RUN cat one a 2>/dev/null > /both; rm one", "COPY a one")
    assert text(image, "both") == "copied"
    assert text(image, "one") == "copied"


def test_nothing_of_this_machine_is_seen(site: Site) -> None:
    site.build("RUN ls / /root 2>&1; cat /proc/net/dev; ls /proc", "RUN --network=none cat /proc/net/dev")
    assert "ls: cannot access '/root': No such file or directory" in site.said()
    interfaces = {line.split(":")[0].strip() for line in site.said() if re.match(r"\s*[\w.]+:\s+\d", line)}
    assert interfaces == {"lo"}
    assert all(int(line) < 20 for line in site.said() if line.isdigit()), "processes of the command alone"


def test_a_command_cannot_change_this_machine(site: Site) -> None:
    before = Path("/proc/sys/vm/swappiness").read_text(encoding="utf-8")
    lines = ("echo 7 > /proc/sys/vm/swappiness || echo refused", "echo h > /proc/sysrq-trigger || echo refused")
    more = ("cat /proc/kcore > /leak || true", "ls /proc/sys/vm > /seen")  # not every kernel has a kcore
    image = site.build(*(f"RUN {line}" for line in (*lines, *more)))
    assert site.said().count("refused") == 2
    assert Path("/proc/sys/vm/swappiness").read_text(encoding="utf-8") == before
    assert image.files["leak"].size == 0
    assert "swappiness" in text(image, "seen")


def test_the_network_of_this_machine_is_there_when_it_is_asked_for(site: Site) -> None:
    ours = Path("/proc/net/dev").read_text(encoding="utf-8")
    for line, options in (("RUN --network=host cat /proc/net/dev", {}), ("RUN cat /proc/net/dev", {"network": "host"})):
        site.build("RUN mkdir etc", line, caching="renew", **options)
        assert [said.split(":")[0] for said in site.said()] == [own.split(":")[0] for own in ours.splitlines()]
    image = site.build("RUN mkdir etc", "RUN --network=host cat /etc/hosts > /seen")
    assert text(image, "seen") == Path("/etc/hosts").read_text(encoding="utf-8")
    assert not {"etc/hosts", "etc/resolv.conf"} & image.files.keys()


def test_a_command_is_run_again_only_when_something_before_it_changed(site: Site) -> None:
    lines = ("ARG A=1", "RUN echo ran", "RUN echo ran")
    first = site.build(*lines)
    assert site.said() == ["ran", "ran"]
    assert site.build(*lines).digest == first.digest
    assert site.said() == []
    assert site.build(*lines, caching="renew").digest == first.digest
    assert site.said() == ["ran", "ran"]
    site.build(*lines, build_args={"A": "2"})
    assert site.said() == ["ran", "ran"]
    (site.context / "tools" / "new").write_text("x")
    site.build(*lines)
    assert site.said() == ["ran", "ran"]


def test_a_proxy_reaches_commands_and_is_remembered_nowhere(site: Site) -> None:
    lines = ("RUN echo $HTTP_PROXY",)
    digest = site.build(*lines, build_args={"HTTP_PROXY": "http://user:secret@proxy"}).digest
    assert site.said() == ["http://user:secret@proxy"]
    assert site.build(*lines).digest == digest
    assert site.said() == [], "the same work"


def test_all_that_a_command_started_ends_with_it(site: Site) -> None:
    site.build("RUN sleep 987 & echo started")
    assert site.said() == ["started"]
    assert living("sleep\x00987") == []


def living(words: str) -> list[Path]:
    """List the processes with these words."""
    return [path for path in Path("/proc").glob("[0-9]*/cmdline") if words.encode() in _read(path)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.skipif(not shutil.which("umoci") or os.geteuid() != 0, reason="needs umoci, and root to give files away")
def test_another_tool_unpacks_what_commands_removed_and_whose_files_are(site: Site, tmp_path: Path) -> None:
    site.build(
        "COPY --chown=5:6 --chmod=640 Kubefile etc/own", "RUN mkdir a && rm bin/mv", "RUN rm -r a && chmod 711 etc"
    )
    save(pack(site.store, "x:1"), tmp_path / "layout", format_=Format.OCI_DIR)
    image = f"{tmp_path / 'layout'}:docker.io/library/x:1"
    subprocess.run(["umoci", "unpack", "--image", image, tmp_path / "bundle"], check=True, capture_output=True)
    rootfs = tmp_path / "bundle" / "rootfs"
    own = (rootfs / "etc" / "own").stat()
    assert (own.st_uid, own.st_gid, own.st_mode & 0o7777) == (5, 6, 0o640)
    assert (rootfs / "etc").stat().st_mode & 0o7777 == 0o711
    assert not (rootfs / "bin" / "mv").exists()
    assert not (rootfs / "a").exists()
    assert (rootfs / "bin" / "cat").read_bytes() == (site.context / "tools" / "bin" / "cat").read_bytes()


def test_a_build_that_is_killed_takes_its_command_along_and_leaves_a_store_to_build_in(site: Site) -> None:
    (site.context / "Kubefile").write_text("FROM scratch\nCOPY tools /\nRUN echo begun && sleep 986\n")
    env = {**os.environ, "SEALPY_HOME": str(site.store.root.parent)}
    command = [sys.executable, "-c", "from sealpy.cli.app import main; main()", "--output", "json", "build"]
    with subprocess.Popen(
        [*command, "-t", "x:1", str(site.context)], env=env, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert any('"begun"' in line for line in process.stdout)
        process.kill()
    deadline = time.monotonic() + 20
    while living("sleep\x00986") and time.monotonic() < deadline:
        os.sched_yield()
    assert living("sleep\x00986") == []
    assert len(list((site.store.root / "work").iterdir())) == 1, "what it left"
    site.build("RUN echo well")
    assert list((site.store.root / "work").iterdir()) == []
    assert check(site.store).faults == ()


REFUSED = [
    ("RUN echo 1; echo 2 >&2; exit 3", "RUN echo 1; echo 2 >&2; exit 3 ended with exit status 3", ["1", "2"]),
    ("RUN wget x", "ended with exit status 127", ["/bin/sh: 1: wget: not found"]),
    ('RUN ["never"]', "RUN: the rootfs has no 'never'", []),
    ('RUN ["/bin/never"]', "RUN: the rootfs has no '/bin/never'", []),
    ('COPY Kubefile bin/x\nRUN ["/bin/x"]', "RUN: '/bin/x' cannot be started: permission denied", []),
    ('COPY --chmod=755 Kubefile bin/x\nRUN ["/bin/x"]', "RUN: '/bin/x' of the rootfs is not for this processor", []),
    ("RUN rm -r /lib*\nRUN true", "RUN: '/bin/sh' of the rootfs needs a loader", []),
    ("RUN mkfifo /pipe", "'pipe' is neither file, directory nor link", []),
    ("COPY Kubefile proc\nRUN true", "RUN: 'proc' of the rootfs is no directory", []),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "message", "tail"), REFUSED)
def test_a_command_that_cannot_be_run_or_fails_is_told_with_its_place_and_its_last_lines(
    site: Site, lines: str, message: str, tail: list[str]
) -> None:
    with pytest.raises(KubefileError) as caught:
        site.build(lines)
    assert message in caught.value.message
    assert "Kubefile:3: " in caught.value.message or "Kubefile:4: " in caught.value.message
    assert [problem.message for problem in caught.value.problems] == tail
    assert caught.value.hint
    assert list((site.store.root / "work").iterdir()) == []


def test_a_rootfs_without_a_shell_is_told_so(site: Site) -> None:
    (site.context / "Kubefile").write_text("FROM scratch\nRUN true\n")
    wish = Wish(kubefile=site.context / "Kubefile", context=site.context, tag=Reference.parse("x:1"))
    with pytest.raises(KubefileError, match=r"Kubefile:2: RUN: the rootfs has no '/bin/sh'") as caught:
        build(wish, store=site.store, emit=site.events.append)
    assert "busybox" in caught.value.hint


@pytest.mark.parametrize(("number", "reason"), [(1, "operation not permitted"), (28, "none is allowed, or too many")])
def test_a_kernel_that_gives_no_namespaces_is_told_with_the_way_out(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, reason: str
) -> None:
    refuses = tmp_path / "refuses.py"
    refuses.write_text(
        "import json, os, sys\n"
        f"told = {{'stage': 'a namespace for users', 'errno': {number}, 'reason': os.strerror({number})}}\n"
        "sys.stdin.read(); os.write(int(sys.argv[1]), json.dumps(told).encode()); sys.exit(125)\n"
    )
    monkeypatch.setattr("sealpy.image.building.cage.__file__", str(refuses))
    with pytest.raises(KubefileError, match=r"Kubefile:3: RUN: this machine does not let a command") as caught:
        site.build("RUN true")
    assert reason in caught.value.message
    assert "user.max_user_namespaces" in caught.value.hint


# ---- by somebody who is not root

AS_NOBODY = """
set -eu
closed=""
at=$1
while [ "$at" != / ]; do
  case $(stat -c %A "$at") in *x) ;; *) closed=$at ;; esac
  at=$(dirname "$at")
done
if [ -n "$closed" ]; then  # the interpreter stands where others may not go: show it to them, in our namespace alone
  mount --bind "$1" "$2"
  mount -t tmpfs -o mode=755 tmpfs "$closed"
  mkdir -p "$1"
  mount --bind "$2" "$1"
fi
shift 2
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"""


@pytest.fixture
def everyones() -> Iterator[Path]:
    """Give a directory that everyone may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        path = Path(directory)
        path.chmod(0o755)
        (path / "spare").mkdir()
        (path / "home").mkdir()
        yield path


def as_nobody(everyones: Path, *words: str) -> list[dict[str, Any]]:
    """Run sealpy as the user nobody, or, when the tests are not run by root, as whoever runs them."""
    home = everyones / "home"
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "SEALPY_HOME": str(home / "sealpy")}
    command = [sys.executable, "-c", "from sealpy.cli.app import main; main()", "--output", "json", *words]
    if os.geteuid() == 0:
        os.chown(home, 65534, 65534)
        before = ["unshare", "--mount", "sh", "-c", AS_NOBODY, "sh", sys.base_prefix, str(everyones / "spare")]
        command = [*before, *command]
    done = subprocess.run(command, env=env, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("lines", [[], ["RUN mkdir -p a/b && echo $0 > a/b/c && rm bin/mv && chmod 4711 bin/cat"]])
def test_an_ordinary_user_builds_the_same_image_as_root(
    site: Site, everyones: Path, tools: Path, lines: list[str]
) -> None:
    shutil.copytree(tools, everyones / "context" / "tools")
    ours = site.build(*lines)
    shutil.copy(site.context / "Kubefile", everyones / "context" / "Kubefile")
    for path in (everyones / "context").rglob("*"):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    told = as_nobody(everyones, "build", "-t", "x:1", str(everyones / "context"))
    assert told[-1]["digest"] == ours.digest
    if os.geteuid() == 0:
        assert {path.stat().st_uid for path in (everyones / "home").rglob("*")} == {65534}
