"""The real command-line agents, in pinned versions: installed into `.cache/agents` once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CODEX, GEMINI, CLAUDE = "@openai/codex@0.169.0", "@google/gemini-cli@0.61.0", "claude-agent-sdk==0.2.186"
_ROOT = Path(__file__).parents[3]
_FOLDER = _ROOT / ".cache" / "agents"
_INSTALL_S = 280


def codex() -> Path:
    """The folder for PATH that has `codex`; skipped where it can't be had, but not in CI."""
    return _from_npm("codex", CODEX)


def gemini() -> Path:
    """The folder for PATH that has `gemini`."""
    return _from_npm("gemini", GEMINI)


def claude() -> Path:
    """The folder for PATH that has `claude`: the program that comes inside of a wheel."""
    name, _, version = CLAUDE.partition("==")
    folder = _FOLDER / f"{name}-{version}"
    bundled = folder / "claude_agent_sdk" / "_bundled"
    with _locked(folder):
        if not (folder / "complete").exists():
            wheels = folder / "wheels"
            pip = (_python_with_pip(), "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
            _run(*pip, "--dest", str(wheels), CLAUDE)
            with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
                wheel.extractall(folder)
            (bundled / "claude").chmod(0o755)
            shutil.rmtree(wheels)
            (folder / "complete").touch()
    return bundled


def _from_npm(program: str, package: str) -> Path:
    if missing := [name for name in ("node", "npm") if shutil.which(name) is None]:
        _give_up(f"{package} needs {' and '.join(missing)}")
    folder = _FOLDER / package.strip("@").replace("/", "-").replace("@", "-")
    with _locked(folder):
        if not (folder / "bin" / program).exists():
            _run("npm", "install", "--global", "--prefix", str(folder), "--no-audit", "--no-fund", package)
    return folder / "bin"


def _python_with_pip() -> str:
    """uv's environments have no pip."""
    found = [str(_ROOT / ".tools" / "bin" / "python"), sys.executable, shutil.which("python3") or ""]
    for python in found:
        if python and Path(python).exists():
            asked = subprocess.run((python, "-m", "pip", "--version"), capture_output=True, check=False)
            if asked.returncode == 0:
                return python
    _give_up(f"{CLAUDE} needs a Python with pip")
    raise AssertionError


def _locked(folder: Path) -> _Lock:
    folder.mkdir(parents=True, exist_ok=True)
    return _Lock(folder / ".lock")


class _Lock:
    """One installation at a time, over all processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    if done.returncode:
        _give_up(f"{' '.join(argv)} failed: {done.stderr.strip()[-500:]}")


def _give_up(told: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(told)
    pytest.skip(told)
