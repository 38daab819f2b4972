"""A place with real git where nothing of the developer's settings applies."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Git = Callable[..., str]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    return home


@pytest.fixture
def git(own_home: Path) -> Git:
    """Plain git, by which the wrapper is judged."""
    env = {
        "HOME": str(own_home),
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_AUTHOR_DATE": "@1700000000 +0000",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "GIT_COMMITTER_DATE": "@1700000000 +0000",
    }

    def call(where: Path, *arguments: str | bytes, input: bytes = b"") -> str:
        done = subprocess.run(["git", *arguments], cwd=where, env=env, input=input, capture_output=True, check=True)
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    return call


@pytest.fixture
def folder(tmp_path: Path, git: Git) -> Path:
    """A repository with a work tree and one commit on `main`; its path has a space."""
    where = tmp_path / "my repo"
    where.mkdir()
    git(where, "init", "-q", "-b", "main")
    (where / "a.txt").write_text("one\n")
    (where / "dir").mkdir()
    (where / "dir" / "b.txt").write_text("two\n")
    git(where, "add", ".")
    git(where, "commit", "-qm", "first")
    return where
