"""`Repository`: one git repository with every verb the factory needs, each kind of verb from a module of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from switchyard_git import discovery
from switchyard_git.attributes import Attributes
from switchyard_git.objects import Objects
from switchyard_git.refs import Refs
from switchyard_git.replaying import Replaying
from switchyard_git.settings import Remotes
from switchyard_git.transport import Transport
from switchyard_git.worktree import Worktree


@dataclass(frozen=True)
class Repository(Refs, Replaying, Objects, Transport, Remotes, Worktree, Attributes):
    """A git repository. Bare ones, shallow ones and linked worktrees all do; submodules are never entered."""

    @classmethod
    def open(cls, path: Path, *, trusted: bool = True) -> Self:
        """The repository at `path` or around it.

        Args:
            trusted: False for one that somebody else may have written: it is refused when its configuration would run
                programs, and the user's credentials are never used with it.

        Raises:
            NotARepository: There is none.
            UntrustedRepository: It belongs to another user, or it is not trusted and would run programs.
        """
        place = discovery.find(path)
        if not trusted:
            discovery.refuse_hostile_settings(place)
        return cls(place.git_dir, place.common_dir, place.worktree, trusted)

    @classmethod
    def init_bare(cls, path: Path, *, branch: str = "main") -> Self:
        """Make a bare repository, or open the one that is there."""
        discovery.init(path, bare=True, branch=branch)
        return cls.open(path)

    @classmethod
    def init(cls, path: Path, *, branch: str = "main") -> Self:
        """Make a repository with a work tree, or open the one that is there."""
        discovery.init(path, bare=False, branch=branch)
        return cls.open(path)
