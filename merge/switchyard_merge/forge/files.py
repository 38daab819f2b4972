"""The files of the local forge: one JSON document a pull request, written whole, under one lock."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from switchyard_merge.errors import ForgeRefused, ForgeUnavailable
from switchyard_merge.forge.contract import CheckState, PullState

Verdict = Literal["approved", "changes_requested"]


class StoredPullRequest(BaseModel):
    """The file of one pull request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["switchyard.pull_request/1"] = Field(default="switchyard.pull_request/1", alias="schema")
    number: int
    title: str
    body: str
    head: str
    base: str
    state: PullState
    head_sha: str
    """Where the head was when this was written; while it is open, the branch itself is asked."""
    labels: tuple[str, ...] = ()
    draft: bool = False
    merged_sha: str = ""
    """The commit that merging made. While still open: the one that a merge was about to put on the base."""
    reviews: dict[str, Verdict] = {}
    """Each reviewer's last verdict."""
    checks: dict[str, dict[str, CheckState]] = {}
    """Commit → check → how it stands."""
    comments: dict[str, str] = {}
    """Marker → text."""


class PullRequestFiles:
    """The pull requests in a folder. Processes and threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which is made when it is first locked."""
        self.folder = folder.absolute()

    def all(self) -> Sequence[StoredPullRequest]:
        """Every pull request, by number."""
        numbers = sorted(int(file.stem) for file in self.folder.glob("*.json") if file.stem.isdecimal())
        return [self.read(number) for number in numbers]

    def read(self, number: int) -> StoredPullRequest:
        """One pull request.

        Raises:
            ForgeRefused: There is none of that number.
            ForgeUnavailable: Its file cannot be read.
        """
        file = self.path(number)
        try:
            return StoredPullRequest.model_validate_json(file.read_bytes())
        except FileNotFoundError as err:
            raise ForgeRefused(f"there is no pull request #{number}", hint=f"see {self.folder}") from err
        except (OSError, ValidationError) as err:
            raise ForgeUnavailable(f"{file} cannot be read: {err}", hint="restore the file, or remove it") from err

    def write(self, stored: StoredPullRequest) -> None:
        """Put the whole file in place at once, so that no reader and no crash sees half of it."""
        file = self.path(stored.number)
        draft = file.with_suffix(".tmp")
        with draft.open("w", encoding="utf-8") as handle:
            handle.write(stored.model_dump_json(by_alias=True, indent=2) + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(file)
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against every other writer, in this process or another."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("a")
        except OSError as err:
            raise ForgeUnavailable(f"{self.folder} cannot be written: {err}", hint="check its rights") from err
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def path(self, number: int) -> Path:
        """Where a pull request is kept."""
        return self.folder / f"{number}.json"
