"""A real repository for each test, written from a mapping of paths to texts."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from switchyard_context import (
    Codebase,
    ImportGraph,
    Request,
    Selection,
    Source,
    build_graph,
    open_codebase,
    open_source,
    select,
)


@dataclass(frozen=True)
class Project:
    """A repository and what the tests ask of it."""

    root: Path

    def git(self, *arguments: str) -> str:
        argv = ("git", "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments)
        return subprocess.run(argv, cwd=self.root, check=True, capture_output=True, text=True).stdout.strip()

    def write(self, files: Mapping[str, str | bytes]) -> Project:
        for path, content in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self

    def commit(self, files: Mapping[str, str | bytes]) -> Project:
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "Change")
        return self

    def source(self, revision: str | None = None) -> Source:
        return open_source(self.root, revision)

    def graph(self, revision: str | None = None, cache: Path | None = None) -> ImportGraph:
        return build_graph(self.source(revision), cache)

    def codebase(self, revision: str | None = None, cache: Path | None = None) -> Codebase:
        return open_codebase(self.source(revision), cache)

    def select(self, **request: object) -> Selection:
        return select(self.codebase(), Request(**request))  # type: ignore[arg-type]

    def edges(self) -> dict[tuple[str, str], str]:
        """(importer, imported) → kind; where there are two kinds, the plainer one."""
        return {(edge.importer, edge.imported): edge.kind for edge in reversed(self.graph().edges())}

    def unresolved(self) -> list[tuple[str, str]]:
        return [(item.path, item.imported) for item in self.graph().unresolved]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "@1700000000 +0000")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "@1700000000 +0000")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty repository."""
    root = tmp_path / "with space"
    root.mkdir()
    made = Project(root)
    made.git("init", "--quiet", "--initial-branch=main", ".")
    return made
