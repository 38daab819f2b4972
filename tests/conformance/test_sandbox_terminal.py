"""What every sandbox driver promises of terminals."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sandbox.boxes import MARK, Ground, living
from switchyard_sandbox import BoxId, BoxLost, Command, Terminal, TerminalSize

pytestmark = pytest.mark.sandbox


@contextmanager
def terminal(ground: Ground, box: BoxId, *argv: str, **options: object) -> Iterator[Terminal]:
    size = options.pop("size", TerminalSize())
    opened = ground.driver.open_terminal(box, Command(argv, **options), size)  # type: ignore[arg-type]
    try:
        yield opened
    finally:
        opened.close()


def hear(opened: Terminal, wanted: bytes = b"", *, within_s: float = 20.0) -> bytes:
    """What is said until `wanted` was, or to the end."""
    heard, give_up = b"", time.monotonic() + within_s
    while not wanted or wanted not in heard:
        said = opened.receive(0.5)
        if said == b"":
            assert not wanted, heard
            break
        heard += said or b""
        assert time.monotonic() < give_up, heard
    return heard


def test_a_command_has_a_terminal_of_the_size_that_was_asked(ground: Ground, box: BoxId) -> None:
    with terminal(ground, box, "sh", "-c", "tty -s && stty size; echo $TERM", size=TerminalSize(33, 101)) as opened:
        assert hear(opened).split() == [b"33", b"101", b"xterm-256color"]
        assert opened.finish().exit_code == 0


def test_what_is_typed_is_read_and_echoed(ground: Ground, box: BoxId) -> None:
    with terminal(ground, box, "sh", "-c", 'read line; echo "got $line"; exit 5') as opened:
        opened.send("Grüße\n".encode())
        assert "Grüße\r\ngot Grüße\r\n".encode() in hear(opened)
        finished = opened.finish()
        assert (finished.exit_code, finished.stdout, finished.stderr, finished.limit) == (5, b"", b"", None)


def test_a_new_size_is_told(ground: Ground, box: BoxId) -> None:
    script = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.1; done"
    with terminal(ground, box, "sh", "-c", script) as opened:
        hear(opened, b"ready")
        opened.resize(TerminalSize(50, 132))
        assert b"50 132" in hear(opened)


def test_an_interrupt_reaches_the_command_and_it_may_live_on(ground: Ground, box: BoxId) -> None:
    script = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done"
    with terminal(ground, box, "sh", "-c", script) as opened:
        hear(opened, b"ready")
        opened.send(b"\x03")
        assert b"caught" in hear(opened)
        assert opened.finish().exit_code == 9


def test_an_interrupt_ends_who_does_not_care(ground: Ground, box: BoxId) -> None:
    with terminal(ground, box, "sh", "-c", f"echo ready; exec sleep {MARK}") as opened:
        hear(opened, b"ready")
        opened.send(b"\x03")
        assert hear(opened) == b"^C"
        assert opened.finish().signal == 2


def test_a_shell_can_control_its_jobs(ground: Ground, box: BoxId) -> None:
    with terminal(ground, box, "bash", "--norc", "-i") as opened:
        opened.send(b"sleep 300 &\njobs\nexit\n")
        heard = hear(opened)
        assert b"no job control" not in heard
        assert b"Running" in heard


def test_closing_ends_the_command_and_all_that_it_started(ground: Ground, box: BoxId) -> None:
    script = f"trap '' HUP TERM; (setsid sleep {MARK} &); echo ready; sleep {MARK}"
    opened = ground.driver.open_terminal(box, Command(("sh", "-c", script)))
    hear(opened, b"ready")
    opened.close()
    opened.close()
    give_up = time.monotonic() + 10
    while living(MARK) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert living(MARK) == []
    assert ground.did(box, "echo still here") == "still here\n"


def test_silence_is_told_from_the_end(ground: Ground, box: BoxId) -> None:
    with terminal(ground, box, "sh", "-c", "read line") as opened:
        assert opened.receive(0.3) is None
        opened.send(b"\n")
        hear(opened)
        assert opened.receive(0.3) == b""


def test_a_limit_ends_a_terminal_too(ground: Ground, box: BoxId) -> None:
    with terminal(ground, box, "sh", "-c", f"sleep {MARK}", timeout_s=0.7) as opened:
        hear(opened)
        assert opened.finish().limit == "timeout"
    assert living(MARK) == []


def test_a_missing_program_answers_as_a_shell_would(ground: Ground, box: BoxId) -> None:
    with terminal(ground, box, "no-such-program") as opened:
        hear(opened)
        assert opened.finish().exit_code == 127


def test_a_box_that_is_gone_gives_no_terminal(ground: Ground, box: BoxId) -> None:
    ground.driver.destroy(box)
    with pytest.raises(BoxLost):
        ground.driver.open_terminal(box, Command(("sh",)))
