"""A command that goes for the person at the terminal: typing into it, and output that a terminal obeys."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from sandbox.boxes import Ground, make_ground
from switchyard_sandbox import BoxId, Command

from hostile.attacks import python

pytestmark = pytest.mark.sandbox

_TYPE = """
import ctypes, os, pty
libc = ctypes.CDLL(None, use_errno=True)
def type_into(descriptor):
    for request in (0x5412, 0x541C):
        # The kernel looks at the lower half alone; a filter that compared the whole would let the others through.
        for upper in (0, 1 << 32, 0xFFFFFFFF << 32):
            ctypes.set_errno(0)
            if libc.ioctl(descriptor, ctypes.c_ulong(request | upper), b'x') == 0 or ctypes.get_errno() not in (1, 25):
                print('typed', hex(request | upper), ctypes.get_errno())
"""
"""TIOCSTI and TIOCLINUX."""
_PROGRAM = "from switchyard.cli.main import run_as_program; run_as_program()"
_DANGEROUS = b"\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b[31mred\rgone\x9b1A\xc2\x9b2A\xe2\x80\xaeesrever\x08\xffend\n"


def test_h30_there_is_no_terminal_of_the_hosts_to_type_into(ground: Ground, box: BoxId) -> None:
    code = (
        f"{_TYPE}\n"
        "try: os.open('/dev/tty', os.O_RDWR); print('tty')\nexcept OSError: pass\n"
        "for descriptor in (0, 1, 2): type_into(descriptor)\n"
        # Only the terminal that a process belongs to can be typed into without privileges.
        "child, master = pty.fork()\n"
        "if child == 0:\n type_into(0); os._exit(0)\n"
        "type_into(master)\n"
        "try: print(os.read(master, 4096).decode())\nexcept OSError: pass\n"
        "os.waitpid(child, 0)"
    )
    assert python(ground, box, code) == ""


def test_h30_a_terminal_of_its_own_cannot_be_typed_into_either(ground: Ground, box: BoxId) -> None:
    place = ground.driver.put(box, "type.py", f"{_TYPE}\nfor descriptor in (0, 1, 2): type_into(descriptor)\n".encode())
    terminal = ground.driver.open_terminal(box, Command(("python3", place), timeout_s=30))
    said = b""
    try:
        while (piece := terminal.receive(20)) != b"":
            assert piece is not None, said
            said += piece
        assert terminal.finish().exit_code == 0
    finally:
        terminal.close()
    assert said == b""


@pytest.fixture
def embedded(tmp_path: Path) -> Ground:
    return make_ground(tmp_path, "embedded")


def shown(ground: Ground, *, on_terminal: bool) -> bytes:
    """What `switchyard sandbox run` writes for a command with dangerous output."""
    ground.commit({"out": _DANGEROUS, "switchyard.toml": "[sandbox]\nallow_degraded = true\n"})
    command = [sys.executable, "-c", _PROGRAM, "sandbox", "run", "cat", "out"]
    env = os.environ | {"XDG_STATE_HOME": str(ground.folder / "home"), "GIT_CONFIG_GLOBAL": "/dev/null"}
    if not on_terminal:
        return subprocess.run(command, cwd=ground.repository, env=env, capture_output=True, timeout=60).stdout
    master, slave = pty.openpty()
    process = subprocess.Popen(command, cwd=ground.repository, env=env, stdout=slave, stderr=slave)
    os.close(slave)
    said = b""
    try:
        while piece := os.read(master, 4096):
            said += piece
    except OSError:
        # That is how a terminal tells that the other side is gone.
        pass
    finally:
        os.close(master)
        process.wait(60)
    return said


def test_h31_what_a_command_says_on_a_persons_terminal_moves_nothing(embedded: Ground) -> None:
    said = shown(embedded, on_terminal=True).replace(b"\r\n", b"\n").decode()
    assert "red" in said
    assert all(letter == "\n" or letter.isprintable() for letter in said), said


def test_h31_a_program_gets_a_commands_bytes_as_they_are(embedded: Ground) -> None:
    assert shown(embedded, on_terminal=False) == _DANGEROUS
