"""A repository of its own for each test, and the command line as people call it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from switchyard.cli.main import main


@dataclass(frozen=True)
class Ending:
    """What a caller of the command sees."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """Runs `switchyard` in a folder."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str | Path) -> Ending:
        self.capture.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = self.capture.readouterr()
        return Ending(code, captured.out, captured.err)

    def git(self, *arguments: str) -> str:
        return git(self.folder, *arguments)

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def commit(self, files: dict[str, str]) -> None:
        for path, text in files.items():
            self.write(path, text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "Start")


def git(folder: Path, *arguments: str) -> str:
    argv: Sequence[str] = ("git", "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments)
    return subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A folder that is no repository."""
    folder = tmp_path / "with space"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Shell(folder, capsys)


@pytest.fixture
def shell(nowhere: Shell) -> Shell:
    """A folder that is an empty repository."""
    nowhere.git("init", "--quiet", "--initial-branch=main", ".")
    return nowhere
