"""The forge without a server: each pull request is one JSON file beside the factory's state.

Branches stay where they are, in the remote or in the person's own repository; only what git does not know is kept.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from switchyard_git import CommitSha, GitError, Repository, without_password

from switchyard_merge.errors import ForgeRefused, ForgeUnavailable
from switchyard_merge.forge.contract import NewPullRequest, PullRequest, PullState

_HEADS = "refs/heads/"
_FEW = 50


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


class LocalForge:
    """Pull requests kept in `folder`, over the branches of `target`. Processes and threads may share the folder."""

    kind = "local"

    def __init__(self, folder: Path, repository: Repository, target: str | Path) -> None:
        """Use a folder, which is made when the first pull request is opened.

        Args:
            repository: Asks `target` for its branches.
            target: Where branches are pushed: a URL, the path of an origin, or a repository's own git directory.
        """
        self._folder = folder.absolute()
        self._repository = repository
        self._target = target

    def find(self, head: str) -> PullRequest | None:
        """The newest pull request from branch `head`, whatever its state; None where there is none."""
        stored = [one for one in self._all() if one.head == head]
        return self._told(stored[-1:])[0] if stored else None

    def get(self, number: int) -> PullRequest:
        """One pull request; an unknown number raises ForgeRefused."""
        return self._told([self._read(number)])[0]

    def list(self, *, heads_prefix: str = "") -> Sequence[PullRequest]:
        """Every pull request whose head starts with the prefix, by number."""
        return self._told([one for one in self._all() if one.head.startswith(heads_prefix)])

    def open(self, new: NewPullRequest) -> PullRequest:
        """Open one; refused, as by any forge, for a branch that is missing, has nothing new or has one open already."""
        heads = self._heads([new.head, new.base])
        for branch in (new.head, new.base):
            if branch not in heads:
                raise ForgeRefused(f"there is no branch {branch} in {self._place()}", hint="push the branch first")
        if heads[new.head] == heads[new.base]:
            raise ForgeRefused(
                f"no commits between {new.base} and {new.head}: both are at {heads[new.head]}",
                hint="a pull request needs at least one commit of its own",
            )
        with self._locked():
            everything = self._all()
            for one in everything:
                if one.head == new.head and one.state == "open":
                    raise ForgeRefused(
                        f"pull request #{one.number} from {new.head} is open already", hint="find and edit that one"
                    )
            stored = StoredPullRequest(
                number=max((one.number for one in everything), default=0) + 1,
                title=_text(new.title),
                body=_text(new.body),
                head=new.head,
                base=new.base,
                state="open",
                head_sha=heads[new.head],
                labels=new.labels,
            )
            self._write(stored)
        return self._told([stored])[0]

    def edit(
        self, number: int, *, title: str | None = None, body: str | None = None, base: str | None = None
    ) -> PullRequest:
        """Change what is given; what is None stays."""
        if base is not None and base not in self._heads([base]):
            raise ForgeRefused(f"there is no branch {base} in {self._place()}", hint="push the new base first")
        given = {"title": title, "body": body, "base": base}
        changed = {name: _text(value) for name, value in given.items() if value is not None}
        return self._change(number, lambda stored: stored.model_copy(update=changed))

    def close(self, number: int) -> PullRequest:
        """Close it unmerged. A closed or merged one is returned as it is."""
        head = self.get(number).head_sha

        def closed(stored: StoredPullRequest) -> StoredPullRequest:
            if stored.state != "open":
                return stored
            return stored.model_copy(update={"state": "closed", "head_sha": head})

        return self._change(number, closed)

    def _change(self, number: int, change: Callable[[StoredPullRequest], StoredPullRequest]) -> PullRequest:
        with self._locked():
            stored = self._read(number)
            changed = change(stored)
            if changed != stored:
                self._write(changed)
        return self._told([changed])[0]

    def _told(self, stored: Sequence[StoredPullRequest]) -> Sequence[PullRequest]:
        """Pull requests as the contract has them, with the heads of the open ones as they are now."""
        heads = self._heads([one.head for one in stored if one.state == "open"])
        return [
            PullRequest(
                number=one.number,
                url=self._file(one.number).as_uri(),
                title=one.title,
                body=one.body,
                head=one.head,
                base=one.base,
                state=one.state,
                head_sha=heads.get(one.head, one.head_sha),
                labels=one.labels,
            )
            for one in stored
        ]

    def _heads(self, branches: Sequence[str]) -> Mapping[str, CommitSha]:
        if not branches:
            return {}
        try:
            # All of a namespace at once: hundreds of names would not fit on a command line.
            patterns = [_HEADS + name for name in branches] if len(branches) <= _FEW else [f"{_HEADS}*"]
            refs = self._repository.ls_remote(self._target, patterns)
        except GitError as err:
            raise ForgeUnavailable(f"cannot see the branches of {self._place()}: {err}", hint=err.hint) from err
        return {ref.removeprefix(_HEADS): sha for ref, sha in refs.items()}

    def _all(self) -> Sequence[StoredPullRequest]:
        numbers = sorted(int(file.stem) for file in self._folder.glob("*.json") if file.stem.isdecimal())
        return [self._read(number) for number in numbers]

    def _read(self, number: int) -> StoredPullRequest:
        file = self._file(number)
        try:
            return StoredPullRequest.model_validate_json(file.read_bytes())
        except FileNotFoundError as err:
            raise ForgeRefused(f"there is no pull request #{number}", hint=f"see {self._folder}") from err
        except (OSError, ValidationError) as err:
            raise ForgeUnavailable(f"{file} cannot be read: {err}", hint="restore the file, or remove it") from err

    def _write(self, stored: StoredPullRequest) -> None:
        """Put the whole file in place at once, so that no reader and no crash sees half of it."""
        file = self._file(stored.number)
        draft = file.with_suffix(".tmp")
        with draft.open("w", encoding="utf-8") as handle:
            handle.write(stored.model_dump_json(by_alias=True, indent=2) + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(file)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder against every other writer, in this process or another."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = (self._folder / ".lock").open("a")
        except OSError as err:
            raise ForgeUnavailable(f"{self._folder} cannot be written: {err}", hint="check its rights") from err
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _file(self, number: int) -> Path:
        return self._folder / f"{number}.json"

    def _place(self) -> str:
        return without_password(str(self._target))


def _text(text: str) -> str:
    """Text that JSON can hold: half a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")
