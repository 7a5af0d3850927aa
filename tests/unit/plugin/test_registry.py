"""Where plugin types come from, and what happens when two claim one name."""

from __future__ import annotations

import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from sealpy.errors import PluginError
from sealpy.plugin import Registry, discover
from sealpy.plugin.code import BuiltIn, Installed, SourceFile
from sealpy.sdk import HookPoint

KNOWN = (
    "known here: CLUSTERCHECK, ETCD, HOSTNAME, LABEL, SHELL, TAINT; a directory of plugins is named by --plugins-dir"
)
MINE = b'PluginType = "MINE"\nclass Plugin: ...\n'


def test_the_built_in_types_are_there_without_any_file() -> None:
    built_in = [found.type for found in discover() if isinstance(found.code, BuiltIn)]
    assert built_in == ["CLUSTERCHECK", "ETCD", "HOSTNAME", "LABEL", "SHELL", "TAINT"]


def test_listing_imports_no_plugin() -> None:
    before = set(sys.modules)
    for found in discover([("plugins/mine.py", MINE)]):
        assert found.declaration.type == found.type
    assert not {name for name in set(sys.modules) - before if "builtin_plugins." in name}


@pytest.mark.parametrize("directory", ["plugin", "plugins"])
def test_a_file_is_found_in_either_directory(directory: str) -> None:
    found = discover([(f"{directory}/mine.py", MINE)]).find("MINE")
    assert found.code == SourceFile(f"{directory}/mine.py", MINE)


def test_the_same_file_in_both_directories_is_one_type() -> None:
    registry = discover([("plugin/mine.py", MINE), ("plugins/mine.py", MINE)])
    assert [found.type for found in registry].count("MINE") == 1


def test_two_different_files_for_one_type_are_an_error_that_names_both() -> None:
    with pytest.raises(PluginError) as caught:
        discover([("plugin/mine.py", MINE), ("plugins/other.py", MINE + b"# other\n")])
    (problem,) = caught.value.problems
    assert "type 'MINE' has two different implementations: plugin/mine.py and plugins/other.py" in str(problem)


def test_a_file_cannot_take_the_place_of_a_built_in() -> None:
    with pytest.raises(PluginError) as caught:
        discover([("plugins/shell.py", b'PluginType = "SHELL"\nclass Plugin: ...\n')])
    assert "type 'SHELL' has two different implementations: built in and plugins/shell.py" in str(
        caught.value.problems[0]
    )


def test_all_bad_files_are_told_at_once() -> None:
    with pytest.raises(PluginError) as caught:
        discover([("plugins/a.py", b"def"), ("plugins/b.py", b""), ("plugins/c.txt", b"no plugin, no matter")])
    assert [str(problem).partition(":")[0] for problem in caught.value.problems] == ["plugins/a.py", "plugins/b.py"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("SHEL", "did you mean 'SHELL'?"), ("GPU", KNOWN)],
)
def test_an_unknown_type_is_an_error_with_the_nearest_name(name: str, hint: str) -> None:
    with pytest.raises(PluginError) as caught:
        discover().find(name)
    assert (caught.value.message, caught.value.hint) == (f"type '{name}' is not known", hint)


def test_the_case_of_a_type_does_not_matter() -> None:
    assert discover().find("Shell").type == "SHELL"


def test_a_shared_object_is_no_error_until_its_type_is_wanted() -> None:
    registry = discover([("plugins/list_nodes.so", b"\x7fELF")])
    assert registry.find("SHELL").type == "SHELL"
    with pytest.raises(PluginError) as caught:
        registry.find("LIST_NODE")
    assert "plugins/list_nodes.so is a Go plugin, which cannot be loaded" in caught.value.message
    assert "write it in Python" in caught.value.hint


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Install a distribution that registers a type, and fails when it is imported."""
    info = tmp_path / "gpu_check-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gpu-check\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[sealpy.phases]\nGPU_CHECK = gpu_check:Check\n", encoding="utf-8")
    (tmp_path / "gpu_check.py").write_text(
        "class Check:\n    'Look for GPUs.'\n    phases = ('PreInit',)\nraise SystemExit\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert PathDistribution(info).name == "gpu-check"
    return discover()


def test_an_installed_type_is_found_by_its_entry_point_without_importing_it(installed: Registry) -> None:
    found = installed.find("GPU_CHECK")
    assert found.code == Installed("gpu_check", "Check", "gpu-check")
    assert found.declaration.phases == (HookPoint.PRE_INIT,)
    assert found.declaration.summary == "Look for GPUs"
