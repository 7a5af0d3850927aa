"""ETCD: take a snapshot of the cluster's etcd and keep it on the operator's machine."""

import hashlib
import json
import os
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from sealpy.sdk import Ask, Call, HookPoint, On, PluginContext, PluginFailure, Result, Run, Step, StepFailedError, Steps
from sealpy.sdk.nodes import KUBECTL

PluginType = "ETCD"

_ROLES = frozenset({"master", "master0", "node", "control-plane", "worker"})
_PIECE = 4  # MiB that travel at once, so that a large snapshot does not fill the memory here
_MIB = 1024 * 1024
_CHECKSUM = 32  # bytes of sha256 that etcd writes behind the database
_NAME = "sealpy-snapshot.db"
# Name, address, data and certificates of each etcd that runs as a pod, in this order.
_PODS = (
    '-o=go-template={{range .items}}{{.metadata.name}}{{"\\t"}}{{.status.hostIP}}'
    '{{range .spec.volumes}}{{if eq .name "etcd-data"}}{{"\\t"}}{{.hostPath.path}}{{end}}{{end}}'
    '{{range .spec.volumes}}{{if eq .name "etcd-certs"}}{{"\\t"}}{{.hostPath.path}}{{end}}{{end}}{{"\\n"}}{{end}}'
)
# Since 3.6 etcdutl alone reads a snapshot, before 3.5 etcdctl alone. Both print JSON.
_STATUS = (
    '"$@" -- etcdutl snapshot status "$file" -w json 2>/dev/null || "$@" -- etcdctl snapshot status "$file" -w json'
)
_LOOK = f"""file=$1; shift
set -e
sha256sum < "$file" | cut -d ' ' -f 1
stat -c %s "$file"
{_STATUS}
"""


@dataclass(frozen=True, slots=True)
class _Etcd:
    """Know how to speak to the etcd of the leader: in its pod, by the certificate that its health is asked with."""

    pod: str
    data: str
    certificates: str

    @property
    def file(self) -> str:
        """Give where the snapshot lies at first: a directory that the pod and its host share."""
        return f"{self.data}/{_NAME}"

    @property
    def inside(self) -> tuple[str, ...]:
        """Give the command that runs another one in the pod."""
        return (*KUBECTL, "-n", "kube-system", "exec", self.pod, "-c", "etcd")

    @property
    def save(self) -> tuple[str, ...]:
        """Give the command that takes the snapshot."""
        of, own = f"{self.certificates}/ca.crt", f"{self.certificates}/healthcheck-client"
        trust = (f"--cacert={of}", f"--cert={own}.crt", f"--key={own}.key")
        return (*self.inside, "--", "etcdctl", "--endpoints=https://127.0.0.1:2379", *trust, "snapshot", "save")


class Plugin:
    """Take a snapshot of etcd on the leader, verify it, and keep it in a file of the machine where sealpy runs.

    `on` is the path of that file, as the ancestor has it, or of a directory; without it the snapshot goes to `backups`
    in the cluster's own directory. It is what `etcdutl snapshot restore` takes. An older snapshot of that name is kept
    beside it; any other file is left alone, and that is an error.
    """

    selects = False  # `on` is no choice of hosts
    phases = (
        HookPoint.PRE_SCALEUP,
        HookPoint.PRE_JOIN,
        HookPoint.POST_INSTALL_CLUSTER,
        HookPoint.POST_SCALEUP,
        HookPoint.PRE_GUEST,
        HookPoint.POST_INSTALL,
        HookPoint.POST_JOIN,
        HookPoint.PRE_UNINSTALL,
        HookPoint.PRE_CLEAN,
        HookPoint.UPGRADE,
        HookPoint.ROLLBACK,
    )

    def run(self, context: PluginContext, phase: HookPoint) -> Steps:  # noqa: ARG002 - one for all phases
        """Take, verify, fetch, verify again, keep; then take the copy on the leader away, whatever happened."""
        path = _path(context)
        etcd = yield from _find(context)
        taken = yield On(context.leader, Run("take a snapshot of etcd", *etcd.save, etcd.file))
        try:
            if taken.sample:
                yield Call(f"keep the snapshot of etcd as {path}", lambda: None)
            else:
                yield from _keep(context, etcd, path)
        except (StepFailedError, PluginFailure):
            yield _tidy(context, etcd)
            raise
        yield _tidy(context, etcd)

    @staticmethod
    def check(data: str) -> Iterator[str]:
        """Say what is wrong with the data, which may hold the path too."""
        lines = data.strip().splitlines()
        if len(lines) > 1:
            yield "data holds one line at most: the path of the snapshot on this machine"
        elif lines:
            yield from Plugin.check_on(lines[0])

    @staticmethod
    def check_on(on: str) -> Iterator[str]:
        """Say what is wrong with the path."""
        if on in _ROLES or on.startswith("role="):
            yield f"on: '{on}' is no path; for this type it is where the snapshot goes on this machine"
        elif on and (reason := _unwritable(_expanded(on))):
            yield f"on: '{on}': {reason}"


def _find(context: PluginContext) -> Generator[Step, Result, _Etcd]:
    """Look for the etcd of the leader."""
    words = (*KUBECTL, "-n", "kube-system", "get", "pods", "-l", "component=etcd", _PODS)
    answer = yield On(context.leader, Ask("where does etcd run?", *words))
    if not answer.ok:
        if not context.rehearsal:
            raise PluginFailure(f"the API server does not tell where etcd runs: {answer.reason}")
        return _Etcd(f"etcd of {context.leader}", "/var/lib/etcd", "/etc/kubernetes/pki/etcd")
    pods = [line.split("\t") for line in answer.lines]
    for pod in pods:
        match pod:
            case [name, address, data, certificates] if address == context.leader or len(pods) == 1:
                return _Etcd(name, data, certificates)
            case _:
                pass
    raise PluginFailure(f"no etcd runs as a pod on the leader {context.leader}; one elsewhere is saved where it runs")


def _keep(context: PluginContext, etcd: _Etcd, path: Path) -> Steps:
    """Fetch the snapshot piece by piece into a file beside the one it is for, which it becomes when it is whole."""
    look = Ask("is the snapshot whole?", "sh", "-c", _LOOK, "sh", etcd.file, *etcd.inside)
    told = yield On(context.leader, look)
    try:
        digest, size, *status = told.lines
        found = json.loads("".join(status))
        total = int(size)
    except ValueError:
        raise PluginFailure(f"etcd does not take its own snapshot for one: {told.reason}") from None
    with _Partial(path) as partial:
        for offset in range(0, total, _PIECE * _MIB):
            words = (f"if={etcd.file}", "bs=1M", f"skip={offset // _MIB}", f"count={_PIECE}", "status=none")
            fetch = Ask("fetch the snapshot", "dd", *words, "iflag=fullblock", timeout=300.0, sensitive=True)
            piece = yield On(context.leader, fetch)
            partial.write(piece)
        partial.verify(digest)
        yield Call(f"keep the snapshot of etcd as {path}", partial.keep)
    kept = f"revision {found.get('revision')}, {found.get('totalKey')} keys, {total / _MIB:.1f} MiB"
    context.tell(f"etcd ({kept}) is kept in {path}")


def _tidy(context: PluginContext, etcd: _Etcd) -> Step:
    return On(context.leader, Run("take the copy of the snapshot away", "rm", "-f", "--", etcd.file))


class _Partial:
    """Be a file that is not whole yet; away again unless it was kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        self._digest = hashlib.sha256()
        self._database = hashlib.sha256()  # without the checksum behind it
        self._end = b""
        self._size = 0
        self._file: IO[bytes]

    def __enter__(self) -> Self:
        if reason := _unwritable(self._path):
            raise PluginFailure(f"{self._path}: {reason}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise PluginFailure(f"{self._part}: {error.strerror}") from error
        self._file = os.fdopen(descriptor, "wb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def write(self, piece: Result) -> None:
        """Add what was fetched."""
        if not piece.ok:
            raise PluginFailure(f"the snapshot could not be fetched: {piece.reason}")
        self._digest.update(piece.stdout)
        data = self._end + piece.stdout
        self._database.update(data[:-_CHECKSUM])
        self._end = data[-_CHECKSUM:]
        self._size += len(piece.stdout)
        try:
            self._file.write(piece.stdout)
        except OSError as error:
            raise PluginFailure(f"{self._part}: {error.strerror}") from error

    def verify(self, digest: str) -> None:
        """Compare with what the leader has, and with the checksum that etcd itself has put at the end."""
        if self._digest.hexdigest() != digest:
            raise PluginFailure(f"{self._size} bytes came that are not those of the snapshot: run the command again")
        if self._database.digest() != self._end:
            raise PluginFailure("the snapshot does not agree with the checksum at its end: take another one")

    def keep(self) -> None:
        """Give the file its name; an older one of that name is kept beside it."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            if self._path.exists():
                moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(self._path.stat().st_mtime))
                self._path.rename(_free(self._path.with_name(f"{self._path.name}.{moment}")))
            self._part.rename(self._path)
        except OSError as error:
            raise PluginFailure(f"{self._path}: {error.strerror}") from error


def _free(path: Path) -> Path:
    """Give a name that nothing has."""
    names = (path, *(path.with_name(f"{path.name}-{number}") for number in range(1, 1000)))
    return next(name for name in names if not name.exists())


def _path(context: PluginContext) -> Path:
    given = (context.on or context.data).strip()
    name = f"etcd-{time.strftime('%Y%m%d-%H%M%S')}.db"
    if not given:
        return Path(context.home) / "backups" / name
    path = _expanded(given)
    return path / name if given.endswith("/") or path.is_dir() else path


def _expanded(typed: str) -> Path:
    """Give an absolute path with `~` made a directory; where nobody has the name behind it, it stays as it is."""
    return Path(os.path.expanduser(typed)).absolute()  # noqa: PTH111 - that of Path raises RuntimeError there


def _unwritable(path: Path) -> str:
    """Say why no snapshot can be written there; empty when one can."""
    if path.is_file() and not _is_snapshot(path):
        return "there is a file which is no snapshot of etcd: name another one, or take it away"
    above = path if path.is_dir() else path.parent
    while not above.exists():
        above = above.parent
    if not above.is_dir():
        return f"{above} is a file, not a directory"
    return "" if os.access(above, os.W_OK | os.X_OK) else f"{above} cannot be written to"


def _is_snapshot(path: Path) -> bool:
    """Tell by the checksum at its end, so that a mistyped path costs nobody a file."""
    digest = hashlib.sha256()
    end = b""
    try:
        with path.open("rb") as file:
            while piece := file.read(_MIB):
                data = end + piece
                digest.update(data[:-_CHECKSUM])
                end = data[-_CHECKSUM:]
    except OSError:
        return False
    return digest.digest() == end
