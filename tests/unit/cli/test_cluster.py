"""What the commands on clusters share, with fakes in place of the run itself."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy.actions.session import Report, Surroundings
from sealpy.cli import cluster
from sealpy.cli.app import run
from sealpy.cli.cluster import Given, ask_secrets, kept_clusterfile
from sealpy.cli.output import Output
from sealpy.clusterfile import Clusterfile, dumps, loads
from sealpy.engine import Recorded
from sealpy.errors import ConfigError
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.store import Store
from sealpy.inventory import Facts
from sealpy.testing.builders import a_stored_image, good_facts

IMAGE = "kubernetes:v1.34.4"
RUN = ["run", IMAGE, "-m", "10.0.0.1", "-n", "10.0.0.2"]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def store(home: Path) -> Store:
    store = Store(home / "images")
    a_stored_image(store, {"etc/kubeadm.yml": b"kind: x\n"}, name=IMAGE)
    return store


def report(*recorded: Recorded, changed: int = 1) -> Report:
    facts: dict[str, Facts] = {"10.0.0.1": good_facts(), "10.0.0.2": good_facts()}
    return Report(changed=changed, sent=0, recorded=recorded, round_trips={}, facts=facts, seconds=1.0)


class FakeAction:
    """Be `apply` or `delete`: keep what it was called with and give a report."""

    def __init__(self) -> None:
        self.calls: list[tuple[Clusterfile, ClusterImage, Surroundings]] = []
        self.report = report()
        self.meanwhile: Callable[[ClusterImage], None] = lambda _image: None

    def __call__(self, clusterfile: Clusterfile, image: ClusterImage, surroundings: Surroundings) -> Report:
        self.calls.append((clusterfile, image, surroundings))
        if not surroundings.rehearsal:  # as the phase KeepClusterfile does
            kept = surroundings.cluster_home(clusterfile.cluster.name)
            kept.mkdir(parents=True, exist_ok=True)
            (kept / "Clusterfile").write_text(dumps(clusterfile))
        self.meanwhile(image)
        return self.report


@pytest.fixture
def action(monkeypatch: pytest.MonkeyPatch, store: Store) -> FakeAction:
    del store
    fake = FakeAction()
    monkeypatch.setattr(cluster, "apply", fake)
    monkeypatch.setattr(cluster, "delete", fake)
    return fake


# ---- secrets


def an_output() -> tuple[Output, io.StringIO]:
    written = io.StringIO()
    return Output(stdout=written, stderr=written), written


def test_a_dash_reads_one_line_of_standard_input_for_each_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    output, written = an_output()
    monkeypatch.setattr("sys.stdin", io.StringIO("geheim \nphrase\n"))

    assert ask_secrets(output, Given("--passwd", "-", "?"), Given("--pk-passwd", "-", "?")) == ["geheim ", "phrase"]
    assert written.getvalue() == ""


def test_no_secret_is_nothing_to_warn_of() -> None:
    output, written = an_output()
    assert ask_secrets(output, Given("--passwd", "", "?")) == [""]
    assert written.getvalue() == ""


def test_secrets_among_the_words_are_taken_with_one_warning_and_never_shown() -> None:
    output, written = an_output()

    found = ask_secrets(output, Given("--passwd", "geheim", "?"), Given("--pk-passwd", "phrase", "?"))
    output.text("this is geheim")

    assert found == ["geheim", "phrase"]
    warning, shown = written.getvalue().strip().rsplit("\n", 1)
    assert warning.count("--passwd, --pk-passwd: whoever lists the processes of this machine reads it") == 1
    assert "write --passwd - and type it" in warning
    assert "geheim" not in shown


def test_the_password_reaches_the_run_from_standard_input(action: FakeAction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("geheim\n"))
    assert run([*RUN, "-p", "-"]) == 0
    [(clusterfile, _, _)] = action.calls
    assert clusterfile.cluster.secrets == ("geheim",)


# ---- run and apply


def test_a_run_tells_how_to_go_on(action: FakeAction, capsys: Capture) -> None:
    assert run(RUN) == 0
    assert capsys.readouterr().out == "cluster 'my-cluster' is ready: kubectl --context my-cluster get nodes\n"
    action.report = report(changed=0)
    assert run(RUN) == 0
    assert capsys.readouterr().out == "cluster 'my-cluster': nothing to change\n"


def test_what_a_run_kept_is_found_again_by_the_name_of_its_cluster(action: FakeAction) -> None:
    assert run([*RUN, "--name", "mine", "-p", "geheim"]) == 0
    assert action.calls
    assert kept_clusterfile(None, name="mine", password="again").cluster.ssh.password == "again"


def test_a_rehearsal_keeps_nothing_and_prints_the_plan(action: FakeAction, home: Path, capsys: Capture) -> None:
    step = Recorded(host="10.0.0.1", phase="distribute", kind="run", title="unpack")
    action.report = report(step, changed=0)

    assert run([*RUN, "--dry-run", "--output", "json"]) == 0

    [(_, _, around)] = action.calls
    assert around.rehearsal
    assert not (home / "clusters" / "my-cluster" / "Clusterfile").exists()
    [planned] = json.loads(capsys.readouterr().out)["plan"]
    assert (planned["host"], planned["phase"], planned["title"]) == ("10.0.0.1", "distribute", "unpack")


def test_an_image_that_is_not_here_is_an_error_with_the_nearest_name(action: FakeAction, capsys: Capture) -> None:
    assert run(["run", "kubernetes:v1.34.5", "-m", "10.0.0.1"]) == 5
    told = capsys.readouterr().err
    assert "error: image 'kubernetes:v1.34.5': not among the local images" in told
    assert f"did you mean '{IMAGE}'?" in told
    assert not action.calls


@pytest.mark.parametrize("words", [RUN, ["delete", "--all", "--force"]])
def test_an_image_that_is_removed_meanwhile_can_be_read_to_the_end(
    words: list[str], action: FakeAction, store: Store
) -> None:
    assert run(RUN) == 0  # so that there is something to delete
    read: list[bytes] = []

    def rmi(image: ClusterImage) -> None:
        Store(store.root).remove(IMAGE)
        read.append(image.read("etc/kubeadm.yml"))

    action.meanwhile = rmi
    assert run(words) == 0
    assert read == [b"kind: x\n"]
    assert store.prune().size > 0, "behind the run the bytes can go"


# ---- delete


def test_a_cluster_is_deleted_by_its_name_alone(action: FakeAction, capsys: Capture) -> None:
    run([*RUN, "--name", "mine"])
    capsys.readouterr()

    assert run(["delete", "--all", "--force", "--cluster", "mine", "--passwd", "geheim"]) == 0

    (clusterfile, _, _) = action.calls[-1]
    assert (clusterfile.cluster.name, clusterfile.cluster.ssh.password) == ("mine", "geheim")
    assert capsys.readouterr().out == "cluster 'mine' is removed; nothing of it was found on 2 hosts\n"


@pytest.mark.parametrize(
    ("known", "wanted", "hint"),
    [
        ([], "my-cluster", "no cluster was made from here: give its file, --file Clusterfile"),
        (["site-a"], "site", "did you mean 'site-a'?"),
        (
            ["blue", "green"],
            "my-cluster",
            "name one of blue, green by --cluster, or give its file, --file Clusterfile",
        ),
    ],
)
def test_a_cluster_that_nothing_is_known_of_is_told_with_what_to_type(
    known: list[str], wanted: str, hint: str, home: Path
) -> None:
    for name in known:
        (home / "clusters" / name).mkdir(parents=True)
        (home / "clusters" / name / "Clusterfile").write_text("x")
    with pytest.raises(ConfigError) as caught:
        kept_clusterfile(None, name=wanted, password="")
    assert caught.value.message == f"cluster '{wanted}': nothing is known of it on this machine"
    assert caught.value.hint == hint


def test_a_file_that_is_not_there_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        kept_clusterfile(tmp_path / "nowhere", name="x", password="")


class ATerminal(io.StringIO):
    """Be standard input at which somebody sits and types this."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "exit_code", "told"),
    [
        ("y\n", 0, ""),
        ("perhaps\nYES\n", 0, "answer y or n"),
        ("n\n", 130, "error: nothing was changed"),
        ("\n", 130, "error: nothing was changed"),
        ("", 130, "error: interrupted"),
    ],
)
def test_delete_asks_first_and_names_the_hosts(
    answer: str, exit_code: int, told: str, action: FakeAction, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    run(RUN)
    action.calls.clear()
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", ATerminal(answer))

    assert run(["delete", "--all"]) == exit_code

    shown = capsys.readouterr()
    assert "remove cluster 'my-cluster' from 10.0.0.1, 10.0.0.2? [y/N]: " in shown.err
    assert told in shown.err
    assert len(action.calls) == (exit_code == 0)


def test_a_question_is_nothing_of_standard_output(
    action: FakeAction, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    run(RUN)
    action.calls.clear()
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", ATerminal("n\n"))
    assert run(["--output", "json", "delete", "--all"]) == 130
    assert json.loads(capsys.readouterr().out)["message"] == "nothing was changed"
    assert not action.calls


@pytest.mark.parametrize("piped", ["", "y\n"])
def test_delete_without_a_terminal_asks_nothing_and_says_what_to_type(
    piped: str, action: FakeAction, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    run(RUN)
    action.calls.clear()
    monkeypatch.setattr("sys.stdin", io.StringIO(piped))

    assert run(["delete", "--all"]) == 2

    told = capsys.readouterr().err
    assert "remove cluster 'my-cluster' from 10.0.0.1, 10.0.0.2: there is no terminal to ask on" in told
    assert "--force" in told
    assert "[y/N]" not in told
    assert not action.calls


def test_delete_without_all_says_what_to_type(capsys: Capture) -> None:
    assert run(["delete"]) == 2
    assert (
        "next: sealpy delete --all removes a whole cluster, --nodes IP takes a host out of it"
        in capsys.readouterr().err
    )


def test_what_is_applied_is_the_file(action: FakeAction, tmp_path: Path) -> None:
    text = f"kind: Cluster\nspec:\n  image: {IMAGE}\n  hosts: [{{ips: [10.0.0.1], roles: [master]}}]\n"
    (tmp_path / "Clusterfile").write_text(text)
    assert run(["apply", "-f", str(tmp_path / "Clusterfile")]) == 0
    assert run(["plan", "-f", str(tmp_path / "Clusterfile")]) == 0
    assert [call[0] for call in action.calls] == [loads(text, name="f")] * 2
    assert [call[2].rehearsal for call in action.calls] == [False, True]
