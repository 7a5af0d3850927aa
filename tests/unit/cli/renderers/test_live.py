from __future__ import annotations

import io
import threading
import time

import pytest
from rich.console import Console

from sealpy.cli.renderers.live import Live
from sealpy.events import (
    Event,
    PhaseFinished,
    PhaseStarted,
    RunFinished,
    RunStarted,
    StepFinished,
    StepOutput,
    StepStarted,
    TransferProgress,
    Warned,
)

HOSTS = tuple(f"10.99.0.{n}" for n in range(1, 101))


def screen(*, width: int = 80, height: int = 24) -> Console:
    return Console(file=io.StringIO(), width=width, height=height, force_terminal=False, _environ={})


def picture(console: Console, *events: Event) -> list[str]:
    live = Live(io.StringIO(), console=console, clock=lambda: 10.0)
    for event in events:
        live.show(event, time=0.0)
    with console.capture() as capture:
        console.print(live.picture())
    live.close()
    return capture.get().splitlines()


def sending(host: str) -> list[Event]:
    return [
        StepStarted(host=host, phase="d", kind="send", title="send the rootfs"),
        TransferProgress(host=host, title="send the rootfs", sent=350_000_000, total=700_000_000, seconds=4),
    ]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (100, " ⠋  10.99.0.1  send the rootfs  ━━━━━━━━━━────────── 350 MB of 700 MB · 87.5 MB/s · 4.0 s left"),
        (76, " ⠋  10.99.0.1  send the rootfs  350 MB of 700 MB · 87.5 MB/s · 4.0 s left"),
        (64, " ⠋  10.99.0.1  send the rootfs  350 MB of 700 MB · 87.5 MB/s"),
        (50, " ⠋  10.99.0.1  send the rootfs  350 MB of 700 MB"),
        (40, " ⠋  10.99.0.1  send the rootfs  50 %"),
        (30, " ⠋  10.99.0.1  send the…  50 %"),
        (16, " ⠋  10.99.0.1  …"),
    ],
)
def test_a_narrow_screen_shows_less_and_never_wraps(width: int, line: str) -> None:
    started = PhaseStarted(phase="d", title="Distribute", hosts=HOSTS[:1])
    assert picture(screen(width=width), started, *sending(HOSTS[0]))[1:] == [line]


def test_of_a_hundred_hosts_as_many_are_shown_as_there_is_room_for() -> None:
    events = [event for host in HOSTS for event in sending(host)]
    lines = picture(screen(height=24), PhaseStarted(phase="d", title="Distribute", hosts=HOSTS), *events)
    assert len(lines) == 22
    assert lines[0].startswith("▶ Distribute")
    assert lines[-1] == "    + 80 more"


def test_hosts_that_took_longest_stand_on_top_and_keep_their_place() -> None:
    console = screen()
    live = Live(io.StringIO(), console=console, clock=lambda: 10.0)
    for moment, host in enumerate(reversed(HOSTS[:3])):
        live.show(StepStarted(host=host, phase="d", kind="run", title="x"), time=moment)
    with console.capture() as capture:
        console.print(live.picture())
    live.close()
    assert [line.split()[1] for line in capture.get().splitlines()] == ["10.99.0.3", "10.99.0.2", "10.99.0.1"]


def test_a_text_with_brackets_is_shown_as_it_is() -> None:
    console = screen()
    live = Live(io.StringIO(), console=console)
    live.show(Warned(message="[bold]not markup[/bold] [certs]"), time=0)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "warning: [bold]not markup[/bold] [certs]\n"


def test_events_of_many_threads_and_the_drawing_thread_never_wait_for_each_other() -> None:
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True, _environ={})
    live = Live(io.StringIO(), console=console)
    guard = threading.Lock()  # as Output does

    def work(host: str) -> None:
        for _ in range(20):
            for event in (*sending(host), Warned(message="x", host=host)):
                with guard:
                    live.show(event, time=time.time())

    live.show(RunStarted(run="r", action="run", cluster="c", hosts=HOSTS), time=0)
    live.show(PhaseStarted(phase="d", title="Distribute", hosts=HOSTS), time=0)
    threads = [threading.Thread(target=work, args=(host,), daemon=True) for host in HOSTS[:16]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert not any(thread.is_alive() for thread in threads)
    live.show(PhaseFinished(phase="d", title="Distribute", seconds=1, changed=1), time=0)
    live.show(RunFinished(run="r", ok=True, seconds=1), time=0)


def test_the_cursor_comes_back_when_the_screen_is_closed() -> None:
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True, _environ={})
    live = Live(io.StringIO(), console=console)
    live.show(PhaseStarted(phase="d", title="Distribute", hosts=HOSTS), time=0)
    live.close()
    live.close()
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().rindex("\033[?25h") > console.file.getvalue().rindex("\033[?25l")


def test_what_stays_is_broken_between_words_and_so_are_the_tables_of_the_end() -> None:
    console = screen(width=80)
    why = "10.0.0.1: cannot log in as 'root': it refuses the key ~/.ssh/id_ed25519, and it wants no password"
    live = Live(io.StringIO(), console=console, clock=lambda: 10.0)
    with console.capture() as capture:
        live.show(RunStarted(run="r", action="apply", cluster="c", hosts=("10.0.0.1",)), time=0.0)
        live.show(StepFinished(host="10.0.0.1", phase="c", kind="login", title="log in", seconds=0.1, ok=False,
                               changed=False, error=why), time=1)  # fmt: skip
        live.show(PhaseFinished(phase="c", title="Connect", seconds=1, changed=0, failed=(("10.0.0.1", why),)), time=1)
        live.show(RunFinished(run="r", ok=False, seconds=1, changed=0, sent=0), time=1)
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert {word for line in lines for word in line.split()} >= set(why.split()[1:])


def test_what_a_command_printed_is_not_broken() -> None:
    console = screen(width=40)
    live = Live(io.StringIO(), console=console, clock=lambda: 10.0)
    with console.capture() as capture:
        live.show(StepOutput(host="h", phase="p", title="t", line="word " * 20 + "end", live=True), time=0.0)
    assert len(capture.get().splitlines()) == 1
