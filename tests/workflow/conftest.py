"""A factory on real git and the local forge, with commits made of plain edits; nothing of a sandbox is in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from switchyard_git import FILE_MODE, CommitSha, Repository, Signature
from switchyard_merge.forge import LocalForge

from switchyard.config import CommandAgent, Config, RepositoryConfig
from switchyard.ledger import ArtifactStore
from switchyard.packets import Ground, PlannedTask, RunId, RunPlan, Settled, TaskId
from switchyard.workflow.factory import Factory
from switchyard.workflow.places import Places
from switchyard.workflow.stores import fetch_base, open_stores

LONG = "".join(f"line {number}\n" for number in range(20))
CONFIG = Config(agent=CommandAgent(command=("true",)), repository=RepositoryConfig(base="main"))


class NoDriver:
    """These tests run nothing in a sandbox; whoever asks for one is wrong."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a sandbox was asked to {name}")


@dataclass(frozen=True)
class Yard:
    """A factory, the origin it pushes to, and the plan of a run on it."""

    factory: Factory
    origin: Repository
    plan: RunPlan

    @property
    def base(self) -> CommitSha:
        return self.plan.base_commit

    def commit(self, parent: CommitSha, edits: Mapping[str, str | None], *, at: int = 0) -> CommitSha:
        """A commit in the factory repository; None removes a file."""
        return commit_edits(self.factory.quarantine, parent, edits, at=at)

    def task(self, name: str, *parents: str, **fields: Any) -> PlannedTask:
        """A task of the run."""
        plain = {"title": f"Do {name}", "body": "", "depends_on": parents, "parents": parents}
        return PlannedTask.model_validate({"id": name, "branch": f"factory/r1/{name}", **plain, **fields})

    def settled(self, **heads: CommitSha) -> dict[TaskId, Settled]:
        """Parents that stand published."""
        return {TaskId(name): Settled(head=head, branch=f"factory/r1/{name}") for name, head in heads.items()}

    def ground(self, commit: CommitSha | None = None, branch: str = "main", join: str = "") -> Ground:
        return Ground(commit=commit or self.base, branch=branch, join=join)

    def heads(self) -> dict[str, CommitSha]:
        """The factory's branches in the origin."""
        return {ref.removeprefix("refs/heads/"): sha for ref, sha in self.origin.refs("refs/heads/factory").items()}

    def files(self, commit: CommitSha) -> dict[str, str]:
        """Every file of a commit in the factory repository."""
        entries = self.factory.quarantine.list_tree(commit)
        contents = dict(self.factory.quarantine.read_blobs([entry.sha for entry in entries]))
        return {entry.path: contents[entry.sha].decode() for entry in entries}


def commit_edits(
    repository: Repository, parent: CommitSha | None, edits: Mapping[str, str | None], *, at: int = 0
) -> CommitSha:
    """A commit of plain edits on a parent."""
    updates = {
        path: None if text is None else (FILE_MODE, repository.write_blob(text.encode()))
        for path, text in edits.items()
    }
    tree = repository.write_tree_from(repository.tree_of(parent) if parent else None, updates)
    who = Signature("Ada", "ada@example.org", 1_700_000_000 + at)
    return repository.commit_tree(tree, [parent] if parent else [], "edit\n", author=who, committer=who)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return make_yard(tmp_path)


def make_yard(folder: Path) -> Yard:
    """A factory and its origin in a folder."""
    from switchyard_git import RefName, RefUpdate

    origin = Repository.init_bare(folder / "the origin.git")
    base = commit_edits(origin, None, {"a": LONG, "b": LONG, "c": LONG})
    origin.update_refs([RefUpdate(RefName("refs/heads/main"), base, None)])
    places = Places(folder / "the state")
    mirror, quarantine = open_stores(places)
    config = CONFIG.model_copy(update={"repository": RepositoryConfig(remote="")})
    start = fetch_base(origin, mirror, config)
    factory = Factory(
        config=config,
        places=places,
        origin=origin,
        quarantine=quarantine,
        artifacts=ArtifactStore(places.artifacts),
        driver=NoDriver(),  # type: ignore[arg-type]
        agents={},
        forge=LocalForge(places.forge, quarantine, start.target),
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        publishing=Lock(),
    )
    plan = RunPlan(
        run_id=RunId("r1"),
        base_branch="main",
        base_commit=start.commit,
        target=start.target,
        timestamp=1_700_000_000,
        concurrency=2,
        tasks=(),
    )
    return Yard(factory, origin, plan)


def with_tasks(yard: Yard, *tasks: PlannedTask, **fields: Any) -> Yard:
    """The same yard with tasks in its plan."""
    return replace(yard, plan=yard.plan.model_copy(update={"tasks": tasks, **fields}))
