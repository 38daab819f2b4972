"""Lays out the demo's monorepo with a bare origin, the same commits each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from switchyard_git import EXECUTABLE_MODE, FILE_MODE, CommitSha, ObjectSha, RefName, RefUpdate, Repository, Signature
from switchyard_git.clone import clone

from switchyard_templates.demo_ending import BASE
from switchyard_templates.errors import FolderTaken
from switchyard_templates.files import demo_files

# The shop is older than its backlog: two commits, so that the history reads like one.
_BACKLOG = frozenset({".agents", ".switchyard", "switchyard.toml"})
_OPENED, _HANDED_OVER = 1_767_603_600, 1_772_442_000
_MACHINES_LEAVINGS = frozenset({"__pycache__", "node_modules"})


@dataclass(frozen=True)
class DemoRepository:
    """Where the demo stands."""

    repo: Path
    """A clone with a clean worktree on `main`."""
    origin: Path
    """The bare repository that branches are pushed to."""


def lay_out_demo(directory: Path) -> DemoRepository:
    """Make `directory/origin.git` and `directory/repo`; the same commits each time.

    Raises:
        FolderTaken: The directory holds something, or is none.
        GitError: git refused.
    """
    directory = directory.absolute()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise FolderTaken(directory)
    demo = DemoRepository(repo=directory / "repo", origin=directory / "origin.git")
    demo.origin.mkdir(parents=True)
    _commit_history(Repository.init_bare(demo.origin))
    clone(demo.origin, demo.repo, branch=BASE)
    return demo


def _commit_history(origin: Repository) -> None:
    files = {path: (_mode(path), origin.write_blob(file.read_bytes())) for path, file in _files()}
    shop = {path: entry for path, entry in files.items() if PurePosixPath(path).parts[0] not in _BACKLOG}
    opened = _commit(origin, shop, (), "Open the shop", _OPENED)
    head = _commit(origin, files, (opened,), "Hand the backlog to the factory", _HANDED_OVER)
    origin.update_refs([RefUpdate(ref=RefName(f"refs/heads/{BASE}"), new=head, expected=None)])


def _commit(
    origin: Repository,
    files: Mapping[str, tuple[str, ObjectSha]],
    parents: tuple[CommitSha, ...],
    subject: str,
    timestamp: int,
) -> CommitSha:
    who = Signature(name="Ada Tidewater", email="ada@tidewater.example", timestamp=timestamp)
    tree = origin.write_tree_from(None, files)
    return origin.commit_tree(tree, parents, f"{subject}\n", author=who, committer=who)


def _files() -> Iterator[tuple[str, Path]]:
    """The packaged files by their path in the repository; what running them may have left is no part of it."""
    top = demo_files()
    for file in sorted(top.rglob("*")):
        path = file.relative_to(top)
        if file.is_file() and not _MACHINES_LEAVINGS.intersection(path.parts):
            yield path.as_posix(), file


def _mode(path: str) -> str:
    # Installers may drop executable bits, so they follow from the name.
    return EXECUTABLE_MODE if path.endswith(".sh") else FILE_MODE
