"""The tree that a `context` command looks at, and what its user should know about how it was read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from switchyard.cli.render import Output
from switchyard.cli.workspace import open_workspace

if TYPE_CHECKING:
    from switchyard_context import Codebase, ImportGraph
    from switchyard_git import Repository

CONFIG_NAME = "switchyard.toml"

At = Annotated[str | None, typer.Option("--at", metavar="REV", help="Read this revision. Default: the work tree.")]
Include = Annotated[
    list[str] | None,
    typer.Option("--include", metavar="GLOB", help="Look only at such source files. Default: context.include."),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="GLOB", help="Leave such files out. Default: context.exclude."),
]


@dataclass(frozen=True)
class Place:
    """A repository and how context is selected in it."""

    repository: Repository
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    budget_tokens: int | None = None
    """None: the selector's own default."""


def open_place(repo: Path | None) -> Place:
    """The repository at `repo`, else the one around the current folder, and its `[context]`.

    Where nothing is configured the configuration is not even imported: that takes as long as all else of a warm query.
    """
    from switchyard_git import Repository

    repository = Repository.open(repo or Path.cwd())
    if not _is_configured(repository):
        return Place(repository)
    config = open_workspace(repo, must_be_configured=False).config.context
    return Place(repository, config.include, config.exclude, config.budget_tokens)


def _is_configured(repository: Repository) -> bool:
    from switchyard_git import UnknownRevision

    if any(name.startswith("SWITCHYARD_") for name in os.environ):
        return True
    if repository.worktree is not None:
        return os.path.lexists(repository.worktree / CONFIG_NAME)
    try:
        return repository.read_blob("HEAD", CONFIG_NAME) is not None
    except UnknownRevision:
        return False


def read_codebase(
    place: Place, at: str | None, include: Sequence[str] | None, exclude: Sequence[str] | None, output: Output
) -> Codebase:
    """Read a tree as the options and the configuration say; what could not be read is counted on stderr."""
    from switchyard_context import open_codebase, open_source

    repository = place.repository
    codebase = open_codebase(
        open_source(repository.worktree or repository.git_dir, at, repository),
        repository.common_dir / "switchyard" / "cache",
        include=place.include if include is None else include,
        exclude=place.exclude if exclude is None else exclude,
    )
    for text in codebase.warnings:
        output.warning(text)
    if codebase.problems:
        output.note(f"files of which little or nothing is known: {len(codebase.problems)} (--verbose lists them)")
    for path, problem in codebase.problems.items():
        output.detail(f"{path}: {problem}")
    return codebase


def known_files(found: ImportGraph, paths: Sequence[str]) -> list[str]:
    """The source files that paths mean; a folder means all in it."""
    known: dict[str, None] = {}
    for path in (name.removeprefix("./").rstrip("/") for name in paths):
        inside = [] if path in found else [file for file in found.files if file.startswith(f"{path}/")]
        known.update(dict.fromkeys(inside or [found.files[found.id_of(path)]]))
    return list(known)


def tests_of(codebase: Codebase, subjects: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The tests that speak for files, the likeliest first, with the reasons; those that merely reach them follow."""
    from switchyard_context.coverage import rank_tests

    ranked = {item.path: tuple(item.reasons) for item in rank_tests(codebase, subjects)}
    others = dict.fromkeys(codebase.graph.tests_covering(subjects), ("reaches it through imports",))
    return {**ranked, **{path: reasons for path, reasons in others.items() if path not in ranked}}
