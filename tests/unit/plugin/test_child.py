"""What becomes of a plugin in a process of its own, above all of a broken one."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from sealpy.errors import InterruptedRunError, PluginError, PluginFailedError
from sealpy.events import Event, PluginFinished, PluginOutput
from sealpy.plugin import child, discover
from sealpy.plugin.child import Child
from sealpy.plugin.code import BuiltIn, Installed, SourceFile
from sealpy.sdk import HookPoint, PluginContext, PluginHost, Result, Run
from sealpy.sdk.wire import decode_step
from sealpy.testing.connector import Asked
from sealpy.testing.stage import Stage

# A sealpy that is in the middle of a plugin: argv holds the plugin's file and its data.
SEALPY = """
import pathlib, sys
from sealpy.plugin.child import Child
from sealpy.plugin.limits import Limits
from sealpy.plugin.code import SourceFile
from sealpy.sdk import HookPoint, PluginContext
code = SourceFile("mine.py", pathlib.Path(sys.argv[1]).read_bytes())
context = PluginContext(
    plugin="mine", type="MINE", hook=HookPoint.PRE_INIT, data=sys.argv[2], cluster="", leader="", hosts=(),
    masters=(), workers=(), rootfs="",
)
with Child(code, limits=Limits(), show=print, log=print, check_interrupted=lambda: None) as child:
    child.load(context)
    child.exchange({"call": "start", "host": ""})
"""
BROKEN = Path(__file__).parents[2] / "plugins" / "broken"


def whole(error: PluginFailedError) -> str:
    """Give all that the operator reads."""
    return "\n".join([error.message, *(problem.message for problem in error.problems)])


# file → what the operator is told about it
FAULTS = {
    "asks_in_steps": "work only while the plugin's run() is called",
    "both_styles": "Plugin has both steps() and run()",
    "calls_os_exit": "its process ended in the middle of the call, with exit status 4\n  last words",
    "calls_sys_exit": "called sys.exit(3)",
    "dies_by_signal": "its process ended in the middle of the call, by signal SIGSEGV",
    "does_not_load": "raised ModuleNotFoundError: No module named 'a_module_that_nobody_has'",
    "fails": "the licence of my-cluster has run out at PostInstall",
    "neither_style": "neither steps(context, host) nor run(context, phase)",
    "raises": "raised KeyError: 'title'",
    "strays": "has no business on host '10.9.9.9': 'reboot'",
    "writes_garbage": "wrote b'hello there' on the descriptor of the protocol, which is no message",
    "yields_function": "step 'call me' (Call) holds a function of the plugin",
    "yields_text": "gave 'systemctl restart kubelet', which is no step",
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_plugin_ends_the_hook_with_plugin_hook_point_and_cause(stage: Stage, name: str) -> None:
    with pytest.raises(PluginFailedError) as caught:
        stage.fire_file(BROKEN / f"{name}.py")
    assert caught.value.message.startswith("Clusterfile:1: plugin 'mine' (BROKEN) failed at PostInstall")
    assert FAULTS[name] in whole(caught.value)
    assert [event.error != "" for event in stage.of(PluginFinished)] == [True]


def test_a_sealpy_with_many_open_descriptors_still_hears_its_plugins(stage: Stage) -> None:
    wanted = 1100
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted + 200:
        pytest.skip(f"this session may open {hard} files at most: ulimit -Hn")
    with ExitStack() as opened:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted + 200), hard))
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(wanted):
            opened.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        stage.fire_source("def Plugin(context, phase):\n    context.run(context.leader, ['true'])\n")
    assert stage.commands() == {"10.0.0.1": [("true",)]}


def test_a_mistake_is_told_with_the_traceback_of_the_plugins_own_lines_and_the_host(stage: Stage) -> None:
    with pytest.raises(PluginFailedError) as caught:
        stage.fire_file(BROKEN / "raises.py")
    told = whole(caught.value)
    assert "failed at PostInstall on 10.0.0.1, 10.0.0.2, 10.0.0.3" in told
    assert told.count('File "raises.py", line 15, in helper') == 1  # all hosts have the same, so it is told once
    assert 'return names["title"]' in told
    assert "sealpy/sdk" not in told


def test_a_plugin_past_its_deadline_is_interrupted_and_named(stage: Stage) -> None:
    stage.limits = replace(stage.limits, deadline=0.5)
    begun = time.monotonic()
    with pytest.raises(PluginFailedError, match="failed at PostInstall") as caught:
        stage.fire_file(BROKEN / "never_returns.py")
    assert "was ended: it used up its 0.5 s" in whole(caught.value)
    assert "give its class a 'timeout'" in caught.value.hint
    assert time.monotonic() - begun < 40


def test_a_plugin_may_shorten_its_own_deadline(stage: Stage) -> None:
    source = "import time\nclass Plugin:\n    timeout = 0.4\n    def run(self, context, phase): time.sleep(3600)\n"
    with pytest.raises(PluginFailedError) as caught:
        stage.fire_source(source)
    assert "it used up its 0.4 s" in whole(caught.value)


def test_the_time_of_its_steps_is_not_the_plugins_own(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    passed = 0.0

    def slowly(_: Asked) -> Result:
        nonlocal passed
        passed += 1000.0
        return Result()

    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + passed, sleep=time.sleep)
    monkeypatch.setattr(child, "time", clock)
    stage.machines["10.0.0.1"].on("slow", answers=[slowly])
    stage.fire_source("def Plugin(context, phase):\n    context.run(context.leader, ['slow'])\n")
    assert stage.commands() == {"10.0.0.1": [("slow",)]}


def test_one_that_will_not_end_is_killed_with_all_its_children_even_detached_ones(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"

    def now() -> float:  # its time is over as soon as it has started its children, be it on the slowest of machines
        return time.monotonic() + (1000.0 if pids.exists() and len(pids.read_text("utf-8").split()) == 2 else 0.0)

    monkeypatch.setattr(child, "time", SimpleNamespace(monotonic=now, sleep=time.sleep))
    with pytest.raises(PluginFailedError, match="failed at PostInstall"):
        stage.fire_file(BROKEN / "will_not_end.py", data=str(pids))
    assert pids.read_text(encoding="utf-8").split()
    assert_gone(pids)


def test_what_a_plugin_leaves_behind_is_ended_with_it(stage: Stage, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    stage.fire_file(BROKEN / "leaves_children.py", data=str(pids))
    assert len(pids.read_text(encoding="utf-8").split()) == 2
    assert_gone(pids)


def assert_gone(pids: Path) -> None:
    """Look until the killed processes are really gone; a zombie that init has not yet fetched counts as gone."""
    for pid in pids.read_text(encoding="utf-8").split():
        deadline = time.monotonic() + 40
        while _lives(int(pid)):
            assert time.monotonic() < deadline, f"process {pid} still lives"


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_ten_megabytes_of_output_are_bounded_and_the_work_goes_on(stage: Stage) -> None:
    stage.fire_file(BROKEN / "prints_too_much.py")
    lines = stage.printed()
    assert len(lines) <= stage.limits.lines + 1
    assert lines[0].startswith("000000 x")
    assert lines[-1] == "… more, which is not shown"
    assert stage.commands() == {"10.0.0.1": [("true",)]}


def test_steps_without_end_are_ended(stage: Stage) -> None:
    stage.limits = replace(stage.limits, steps=20)
    with pytest.raises(PluginFailedError) as caught:
        stage.fire_file(BROKEN / "floods.py")
    assert "was ended: it yielded more than 20 steps" in whole(caught.value)


def test_what_is_printed_is_shown_and_standard_error_is_kept_apart(stage: Stage) -> None:
    stage.fire_source(
        "import sys\ndef Plugin(context, phase):\n    print('hällo')\n    print('log', file=sys.stderr)\n"
    )
    assert stage.printed() == ["hällo"]
    assert stage.printed("stderr") == ["log"]


def test_the_process_has_a_private_directory_a_bare_environment_and_no_input(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/root/.kube/config")
    monkeypatch.setenv("MY_PASSWORD", "hunter2")
    stage.fire_source(
        "import os, sys\n"
        "def Plugin(context, phase):\n"
        "    print(sorted(os.environ))\n"
        "    print(oct(os.stat('.').st_mode & 0o777), sorted(os.listdir('.')), sys.stdin.read() == '')\n"
        "    print(os.getcwd())\n"
    )
    names, directory, path = stage.printed()
    assert "KUBECONFIG" not in names
    assert "MY_PASSWORD" not in names
    assert directory == "0o700 ['mine.py'] True"
    assert not Path(path).exists()


def test_a_bare_file_counts_on_the_standard_library_and_the_sdk_alone(stage: Stage) -> None:
    with pytest.raises(PluginFailedError) as caught:
        stage.fire_source("import yaml\ndef Plugin(context, phase): print(yaml)\n")
    assert "No module named 'yaml'" in whole(caught.value)


def test_a_plugin_has_no_way_to_the_protocol_from_a_program_it_starts(stage: Stage) -> None:
    stage.fire_source(
        "import subprocess\n"
        "def Plugin(context, phase):\n"
        "    subprocess.run('for fd in 3 4 5 6 7 8 9; do echo x >&$fd; done 2>/dev/null', shell=True)\n"
        "    print('still here')\n"
    )
    assert stage.printed() == ["still here"]


def test_a_plugin_and_its_helper_do_not_outlive_a_sealpy_that_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = [sys.executable, "-c", SEALPY, str(BROKEN / "will_not_end.py"), str(pids)]
    with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(tmp_path)}) as sealpy:
        while not (pids.exists() and len(pids.read_text(encoding="utf-8").split()) == 2):
            assert sealpy.poll() is None
        sealpy.kill()
    helper, detached = pids.read_text(encoding="utf-8").split()
    os.kill(int(detached), signal.SIGKILL)  # what left the group is beyond reach when sealpy itself was killed
    deadline = time.monotonic() + 40
    while _lives(int(helper)):
        assert time.monotonic() < deadline


def test_ctrl_c_ends_a_plugin_that_thinks(stage: Stage) -> None:
    class Events(list[Event]):
        def append(self, event: Event) -> None:
            super().append(event)
            if isinstance(event, PluginOutput):
                stage.executor.interrupt()

    stage.events = Events()
    with pytest.raises(InterruptedRunError):
        stage.fire_source("import time\ndef Plugin(context, phase):\n    print('hm')\n    time.sleep(3600)\n")


def test_a_type_of_another_distribution_runs_with_what_is_installed(stage: Stage) -> None:
    shell = discover().find("SHELL").code
    assert isinstance(shell, BuiltIn)
    context = PluginContext(
        plugin="mine",
        type="OTHER",
        hook=HookPoint.PRE_INIT,
        data="date",
        cluster="c",
        leader="10.0.0.1",
        hosts=(PluginHost("10.0.0.1", "one", ("master",)),),
        masters=("10.0.0.1",),
        workers=(),
        rootfs="/r",
    )
    with Child(
        Installed(shell.module, "Plugin", "other"),
        limits=stage.limits,
        show=print,
        log=print,
        check_interrupted=lambda: None,
    ) as child:
        assert child.load(context) == "steps"
        answer = child.exchange({"call": "start", "host": "10.0.0.1"})
    assert isinstance(decode_step(answer["step"]), Run)


def test_a_process_that_has_ended_is_not_called_again(stage: Stage) -> None:
    code = SourceFile("mine.py", b"PluginType = 'MINE'\ndef Plugin(context, phase): ...\n")
    child = Child(code, limits=stage.limits, show=print, log=print, check_interrupted=lambda: None)
    child.close()
    child.close()
    with pytest.raises(PluginError, match="its process has ended already"):
        child.exchange({"call": "start", "host": ""})
