"""A person's repository, a bare origin and the factory's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from switchyard_git import CommitSha, RefName, RefUpdate, Repository
from yard import LONG, Yard


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    return home


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    factory, origin = Repository.init_bare(tmp_path / "factory.git"), Repository.init_bare(tmp_path / "origin.git")
    bare = Yard(factory, origin, CommitSha(""))
    base = bare.commit(None, {"a": LONG, "b": LONG, "c": LONG})
    factory.push(origin.git_dir, [RefUpdate(RefName("refs/heads/main"), base, None)])
    return Yard(factory, origin, base)


@pytest.fixture
def person(yard: Yard, tmp_path: Path) -> Repository:
    """A person's repository with a work tree on `main` and no remote."""
    repository = Repository.init(tmp_path / "person's repo")
    repository.fetch(yard.origin.git_dir, ["refs/heads/main:refs/heads/imported"])
    repository.update_refs([RefUpdate(RefName("refs/heads/main"), yard.base, None)])
    return repository


@pytest.fixture
def tip(yard: Yard) -> Callable[[str], CommitSha]:
    """A commit on the base that edits one file."""
    return lambda path: yard.commit(yard.base, {path: f"{path} edited\n{LONG}"})
