"""The commands that sign and verify, as one types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sealpy.cli.app import run
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store
from sealpy.image.tarball import walk


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEALPY_KEY_PASSPHRASE", "marker-of-a-passphrase")
    return tmp_path / "home"


@pytest.fixture
def digest(home: Path) -> str:
    store = Store(home / "images")
    layers = [write_layer(store, walk({"etc/motd": b"hi\n"}))]
    return assemble(store, "shop:1", base=None, layers=layers, metadata=Metadata()).digest


@pytest.fixture
def key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert run(["keygen", str(tmp_path / "ann")]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'ann.key'}: keep it to yourself\n")
    return tmp_path / "ann.key"


def test_a_key_may_be_the_first_thing_in_the_home_of_sealpy(home: Path) -> None:
    assert run(["keygen", str(home / "release")]) == 0
    assert (home.stat().st_mode & 0o777, (home / "release.key").is_file()) == (0o700, True)


def test_a_key_without_a_passphrase_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEALPY_KEY_PASSPHRASE", "")
    assert run(["keygen", str(tmp_path / "open")]) == 0
    assert "keep it to yourself, it has no passphrase\n" in capsys.readouterr().out


def test_a_key_for_a_directory_that_is_not_there_says_how_to_make_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["keygen", str(tmp_path / "no" / "key")]) == 2
    assert f"next: mkdir -p {tmp_path / 'no'}" in capsys.readouterr().err


def test_a_key_that_is_there_is_not_replaced(key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keygen", str(key.with_suffix(""))]) == 2
    assert f"{key}: is there already" in capsys.readouterr().err


def test_an_image_is_signed_and_verified(
    tmp_path: Path, key: Path, digest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sign", "shop:1", "--key", str(key)]) == 0
    assert run(["verify", "shop:1", "--key", str(tmp_path / "ann.pub")]) == 0
    signed, verified = capsys.readouterr().out.splitlines()
    assert signed.startswith(f"shop:1: signed {digest}, key ")
    assert verified == f"shop:1: {digest} is signed by {tmp_path / 'ann.pub'}"


def test_keys_in_the_home_are_trusted(
    tmp_path: Path, home: Path, key: Path, digest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", "shop:1"]) == 2
    assert "no key to verify by" in capsys.readouterr().err
    (home / "keys").mkdir()
    (tmp_path / "ann.pub").rename(home / "keys" / "ann.pub")
    assert run(["verify", "shop:1"]) == 5
    assert f"shop:1: not signed ({digest})" in capsys.readouterr().err
    assert run(["sign", "shop:1", "--key", str(key)]) == 0
    capsys.readouterr()
    assert run(["verify", "shop:1", "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == digest


@pytest.mark.usefixtures("digest")
def test_a_wrong_passphrase_is_told_and_never_shown(
    key: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALPY_KEY_PASSPHRASE", "another-marker")
    assert run(["sign", "shop:1", "--key", str(key)]) == 2
    told = capsys.readouterr()
    assert f"{key}: the passphrase does not open it" in told.err
    assert "marker" not in told.out + told.err.replace("marker-of-a-passphrase", "")


@pytest.mark.usefixtures("digest")
def test_the_bill_of_materials_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "shop:1", "--sbom", "spdx"]) == 0
    assert json.loads(capsys.readouterr().out)["spdxVersion"] == "SPDX-2.3"
    assert run(["inspect", "shop:1", "--sbom", "swid"]) == 2
    assert "form 'swid': not known" in capsys.readouterr().err


@pytest.mark.usefixtures("digest")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--verify", "always"], 5, "shop:1: cannot be verified: no key is trusted here"),
        (["--verify", "always"], 5, "/keys, or name it by --verify-key"),
        (["--verify", "alway"], 2, "--verify 'alway': not known"),
        (["--verify-key", "missing.pub"], 2, "missing.pub: cannot be read: no such file or directory"),
    ],
)
def test_an_image_that_is_not_admitted_is_refused_before_the_first_connection(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    assert run(["run", "shop:1", "-m", "192.0.2.1", *words]) == code
    told = capsys.readouterr().err
    assert message in told
    assert "192.0.2.1" not in told
