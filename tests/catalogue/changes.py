"""A change of the catalogue: edits to the ground, what the task allows, and what must be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalogue.ground import GROUND
from switchyard.gates.change import Change, ChangedFile

Files = dict[str, tuple[str, bytes]]
"""Path → git's mode and content."""
Edit = Callable[[Files], None]


@dataclass(frozen=True)
class Case:
    """One change."""

    name: str
    edits: tuple[Edit, ...]
    gate: str = ""
    """What must stop it: a gate's name, `checks`, or `protected`; empty where it must pass."""
    allow: tuple[str, ...] = ()
    is_run: bool = False
    """Whether only running it tells: the gates on the host let it through."""

    @property
    def after(self) -> Files:
        files = ground()
        for edit in self.edits:
            edit(files)
        return files

    @property
    def change(self) -> Change:
        """As gates read it."""
        before, after = ground(), self.after
        paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        assert paths, f"{self.name} changes nothing"
        return Change(tuple(_file(path, before.get(path), after.get(path)) for path in paths))


def ground() -> Files:
    """The ground with its modes."""
    return {path: ("100644", text) for path, text in GROUND.items()}


def edit(path: str, old: str, new: str) -> Edit:
    """Replace a passage that is there exactly once."""

    def apply(files: Files) -> None:
        mode, text = files[path]
        assert text.count(old.encode()) == 1, f"{path} holds {old!r} {text.count(old.encode())} times"
        files[path] = (mode, text.replace(old.encode(), new.encode()))

    return apply


def write(path: str, text: str | bytes, mode: str = "100644") -> Edit:
    """A file as a whole."""
    content = text.encode() if isinstance(text, str) else text

    def apply(files: Files) -> None:
        files[path] = (mode, content)

    return apply


def append(path: str, text: str) -> Edit:
    """Text at the end of a file."""

    def apply(files: Files) -> None:
        mode, there = files[path]
        files[path] = (mode, there + text.encode())

    return apply


def remove(path: str) -> Edit:
    """No file any more."""

    def apply(files: Files) -> None:
        del files[path]

    return apply


def move(path: str, to: str) -> Edit:
    """The same file elsewhere."""

    def apply(files: Files) -> None:
        files[to] = files.pop(path)

    return apply


def _file(path: str, before: tuple[str, bytes] | None, after: tuple[str, bytes] | None) -> ChangedFile:
    return ChangedFile(
        path,
        before[1] if before else None,
        after[1] if after else None,
        before[0] if before else "",
        after[0] if after else "",
        len(before[1]) if before else 0,
        len(after[1]) if after else 0,
    )
