"""`switchyard sandbox shell` on a real terminal: what is typed goes in, and the person's terminal is left as it was."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from end_to_end.plot import Plot

pytestmark = pytest.mark.sandbox


class Person:
    """Somebody in front of a terminal of 30 rows and 100 columns, in which the command runs."""

    def __init__(self, plot: Plot, *arguments: str) -> None:
        self.hand, self.terminal = pty.openpty()
        self.resize(30, 100)
        self.before = termios.tcgetattr(self.terminal)
        self.seen = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "switchyard.cli.main", "sandbox", "shell", *arguments],
            cwd=plot.repo,
            env={**plot.env, "TERM": "xterm"},
            stdin=self.terminal,
            stdout=self.terminal,
            stderr=subprocess.PIPE,
            process_group=0,
        )

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.hand, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.hand, text.encode())

    def see(self, pattern: bytes) -> re.Match[bytes]:
        """Wait until this is on the screen; what stood there before it counts no more."""
        give_up = time.monotonic() + 60
        while not (found := re.search(pattern, self.seen)):
            assert time.monotonic() < give_up, (pattern, self.seen)
            if select.select([self.hand], [], [], 0.2)[0]:
                self.seen += os.read(self.hand, 4096)
        self.seen = self.seen[found.end() :]
        return found

    def leave(self) -> int:
        """Wait for the command's end; whatever it still says is read."""
        while self.process.poll() is None:
            if select.select([self.hand], [], [], 0.1)[0]:
                self.seen += os.read(self.hand, 4096)
        return self.process.returncode

    @property
    def is_as_before(self) -> bool:
        return termios.tcgetattr(self.terminal) == self.before

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        os.close(self.hand)
        os.close(self.terminal)


@pytest.fixture
def plot(tmp_path: Path) -> Plot:
    return Plot(tmp_path)


@pytest.fixture
def person(plot: Plot) -> Iterator[Person]:
    made = Person(plot)
    yield made
    made.close()


def boxes(plot: Plot) -> list[dict[str, str]]:
    found: list[dict[str, str]] = plot.run("sandbox", "list", "--json").document["sandboxes"]
    return found


def test_what_is_typed_is_done_inside_and_all_is_as_before_at_the_end(plot: Plot, person: Person) -> None:
    person.type("pwd; stty size; test -t 0 && echo on a $((1+1))nd terminal\n")
    person.see(rb"/workspace\r\n30 100\r\non a 2nd terminal")
    assert not person.is_as_before
    person.resize(40, 120)
    person.process.send_signal(signal.SIGWINCH)
    time.sleep(0.5)
    person.type("stty size\n")
    person.see(rb"40 120")
    person.type("echo changed > kept.txt; exit 7\n")
    assert person.leave() == 7
    assert person.is_as_before
    assert boxes(plot) == []
    assert (plot.repo / "kept.txt").read_text() == "kept\n"


def test_ctrl_c_is_for_the_command_inside(person: Person) -> None:
    person.type("echo rea''dy; sleep 600\n")
    person.see(rb"ready")
    time.sleep(0.5)
    person.type("\x03")
    person.see(rb"\^C")
    person.type("echo st''ill\n")
    person.see(rb"still")
    person.type("exit\n")
    assert person.leave() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_shell_and_restores_the_terminal(plot: Plot, person: Person, number: signal.Signals) -> None:
    person.type("echo rea''dy\n")
    person.see(rb"ready")
    person.process.send_signal(number)
    assert person.leave() == 143
    assert person.is_as_before
    assert boxes(plot) == []


def test_a_kept_box_can_be_looked_into_again(plot: Plot) -> None:
    assert plot.run("sandbox", "run", "--keep", "--", "sh", "-c", "echo left > behind.txt").code == 0
    (kept,) = boxes(plot)
    person = Person(plot, kept["id"])
    try:
        person.type("cat behind.txt; exit\n")
        person.see(rb"left\r\n")
        assert person.leave() == 0
    finally:
        person.close()
    assert [box["id"] for box in boxes(plot)] == [kept["id"]]
    assert plot.run("sandbox", "reap", "--all").code == 0


def test_without_a_terminal_or_a_box_it_says_so(plot: Plot) -> None:
    ending = plot.run("sandbox", "shell")
    assert (ending.code, ending.out) == (2, "")
    assert "a shell needs a terminal" in ending.err
    person = Person(plot, "box-0000000000000000")
    try:
        assert person.leave() == 1
        assert person.process.stderr is not None
        assert b"there is no box box-0000000000000000" in person.process.stderr.read()
    finally:
        person.close()
