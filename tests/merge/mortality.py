"""A process that may end around every effect: pushes, moves of refs, and what a forge is asked to write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stage import Watched
from switchyard_git import RefUpdate, Repository
from switchyard_merge.forge import LocalForge, Prepared


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Clock:
    """Dies at one of the moments that it is asked about; 0: at none."""

    deadly: int
    moments: int = 0

    def tick(self) -> None:
        self.moments += 1
        if self.moments == self.deadly:
            raise Killed

    def around(self, act: Callable[[], Any]) -> Any:
        self.tick()
        told = act()
        self.tick()
        return told


class Mayfly(Clock):
    """Dies as soon as it has done so much; what is done within something else counts, too."""

    def around(self, act: Callable[[], Any]) -> Any:
        told = act()
        self.tick()
        return told


@dataclass(frozen=True)
class MortalRepository(Repository):
    """A repository whose user may die around every push and every move of a ref."""

    clock: Clock = field(default_factory=lambda: Clock(0))

    @classmethod
    def of(cls, repository: Repository, clock: Clock) -> MortalRepository:
        return cls(repository.git_dir, repository.common_dir, None, access=repository.access, clock=clock)

    def push(self, target: str | Path, updates: Sequence[RefUpdate], *, atomic: bool = True) -> None:
        self.clock.around(lambda: super(MortalRepository, self).push(target, updates, atomic=atomic))

    def update_refs(self, updates: Sequence[RefUpdate]) -> None:
        self.clock.around(lambda: super(MortalRepository, self).update_refs(updates))


class MortalForge(Watched):
    """A forge whose user may die around every write."""

    def __init__(self, inner: LocalForge, clock: Clock) -> None:
        super().__init__(inner)
        self.clock = clock

    def __getattr__(self, name: str) -> Any:
        call = super().__getattr__(name)
        if name not in ("open", "edit", "close", "reopen", "comment", "merge"):
            return call
        return lambda *given, **named: self.clock.around(lambda: call(*given, **named))

    def merge_batch(self, prepared: Sequence[Prepared], *, expected_base: str) -> Any:
        return self.clock.around(lambda: self.inner.merge_batch(prepared, expected_base=expected_base))
