"""Each hostile test fails once what it is about is taken away: in a copy of the package, put first on the path."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sandbox.boxes import DRIVERS

from hostile.guards import GUARDS, Guard

pytestmark = pytest.mark.sandbox

_ROOT = Path(__file__).parents[2]
_SOURCES = ("", "sandbox", "merge", "context", "templates")
_SAMPLED = 8
_IN_TURN = [
    # Every so many show that the way still works; all of them take minutes.
    pytest.param(guard, marks=pytest.mark.nightly if number % _SAMPLED else pytest.mark.slow)
    for number, guard in enumerate(GUARDS)
]
_CANARY = "hostile/test_files.py::test_ordinary_work_goes_on[{kind}]"
"""What must hold with a guard and without it: a mutation that breaks everything shows nothing."""


def mutated(guard: Guard, folder: Path) -> Path:
    """A copy of the guard's package without the guard; the folder to put on the path."""
    package = _ROOT / guard.package
    target = folder / package.name
    shutil.copytree(package, target, ignore=shutil.ignore_patterns("__pycache__"))
    for edit in guard.edits:
        file = target / edit.file
        text = file.read_text()
        assert text.count(edit.text) == 1, (
            f"{edit.file} holds {edit.text!r} {text.count(edit.text)} times: bring it up to date"
        )
        file.write_text(text.replace(edit.text, edit.instead))
    return folder


def run_tests(tests: tuple[str, ...], first: Path, temporary: Path) -> str:
    """Run tests in a process of their own with a folder first on the path; the last lines of what it says."""
    path = os.pathsep.join([str(first), *(str(_ROOT / source) for source in _SOURCES)])
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=120", "--tb=no", "-rA"]
    child = subprocess.Popen(
        [*argv, f"--basetemp={temporary}", *(f"tests/{test}" for test in tests)],
        cwd=_ROOT,
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        return child.communicate(timeout=250)[0]
    finally:
        child.kill()
        sweep(child.pid)


def sweep(pid: int) -> None:
    """End what a test left that was to fail: the sleeps by which it tells its own processes."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[:1] == [b"sleep"] and words[1:2] in ([b"4343.%d" % pid], [b"4242.%d" % pid]):
                os.kill(int(process.name), signal.SIGKILL)
        except (OSError, ValueError):
            continue


@pytest.mark.parametrize("guard", _IN_TURN, ids=lambda guard: guard.name)
def test_without_its_guard_a_test_fails(guard: Guard, tmp_path: Path) -> None:
    if guard.only and (guard.only == "root") != (os.getuid() == 0):
        pytest.skip(f"for {guard.only} alone")
    kinds = {match.group(1) for match in (re.search(r"\[(docker|embedded)", test) for test in guard.tests) if match}
    kind = kinds.pop() if kinds else "embedded"
    if kind not in DRIVERS:
        pytest.skip(f"there is no {kind} to test with")
    canary = _CANARY.format(kind=kind)
    said = run_tests((canary, *guard.tests), mutated(guard, tmp_path / "copy"), tmp_path / "child")
    passed = re.findall(r"^PASSED tests/(.*)$", said, re.MULTILINE)
    failed = [line.partition(" - ")[0] for line in re.findall(r"^FAILED tests/(.*)$", said, re.MULTILINE)]
    assert canary in passed, said
    for test in guard.tests:
        assert any(one == test or one.startswith(f"{test}[") for one in failed), said
