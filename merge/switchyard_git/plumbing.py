"""The ground of `Repository`: git bound to one git directory, answers decoded, failures turned into errors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from switchyard_git.access import Access
from switchyard_git.errors import GitError, UnknownRevision
from switchyard_git.process import Result, Settings, clean_environment, git_argv, run, stream, without_tokens
from switchyard_git.values import CommitSha, TreeSha

LOCAL_TIMEOUT_S = 300.0
TRANSPORT_TIMEOUT_S = 1800.0


@dataclass(frozen=True)
class Plumbing:
    """A git directory that was opened, and how to run git on it."""

    git_dir: Path
    common_dir: Path
    """Where refs and objects lie; linked worktrees share it."""
    worktree: Path | None
    """None for a bare repository."""
    trusted: bool = True
    access: Access | None = None
    """How to be let in by a host beside the user's own credentials."""

    @property
    def is_shallow(self) -> bool:
        """Whether the history was cut when cloning."""
        return (self.common_dir / "shallow").is_file()

    def resolve(self, revision: str) -> CommitSha:
        """The commit that a branch, tag, abbreviated id or expression names.

        Raises:
            UnknownRevision: There is none, or it is no commit.
        """
        return CommitSha(self._object_id(revision, "commit"))

    def tree_of(self, revision: str) -> TreeSha:
        """The tree of a commit."""
        return TreeSha(self._object_id(revision, "tree"))

    def _object_id(self, revision: str, kind: str) -> str:
        wanted = f"{revision}^{{{kind}}}"
        if not revision or "\n" in revision or "\0" in revision:
            raise UnknownRevision(revision, self.git_dir)
        result = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
        if result.code:
            raise UnknownRevision(revision, self.git_dir)
        return result.stdout.decode("ascii").split()[-1]

    def _ask(self, *arguments: str | bytes, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """The output of a command that must succeed."""
        result = self._run(*arguments, stdin=stdin, env=env)
        if result.code:
            raise self._failed(arguments, result)
        return result.stdout

    def _run(
        self,
        *arguments: str | bytes,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        settings: Settings = Settings.NONE,
        timeout_s: float = LOCAL_TIMEOUT_S,
        limit_bytes: int | None = None,
        config: Sequence[str] = (),
        pass_fds: Sequence[int] = (),
    ) -> Result:
        settings = settings if self.trusted else Settings.NONE
        place = [b"--git-dir=" + os.fsencode(self.git_dir)]
        if self.worktree is not None:
            place.append(b"--work-tree=" + os.fsencode(self.worktree))
        environment = clean_environment(os.environ, settings)
        if pass_fds:
            # It is introduced by us; a token in the environment would only be seen by more programs.
            environment = without_tokens(environment)
        return run(
            git_argv((*place, *arguments), settings, config),
            cwd=self.worktree or self.git_dir,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"} | dict(env or {}),
            timeout_s=timeout_s,
            stdin=stdin,
            limit_bytes=limit_bytes,
            pass_fds=pass_fds,
        )

    def _stream(self, *arguments: str | bytes, stdin: bytes) -> AbstractContextManager[IO[bytes]]:
        """The output of a command as it comes; whoever reads it has to see for himself whether it is whole."""
        return stream(
            git_argv((b"--git-dir=" + os.fsencode(self.git_dir), *arguments), Settings.NONE),
            cwd=self.git_dir,
            env=clean_environment(os.environ, Settings.NONE) | {"GIT_OPTIONAL_LOCKS": "0"},
            stdin=stdin,
        )

    def _failed(self, arguments: Sequence[str | bytes], result: Result) -> GitError:
        verb = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0]
        said = result.stderr.strip() or f"exit {result.code}"
        return GitError(f"git {verb} failed in {self.git_dir}: {said}", hint="run `git fsck` there if this persists")


def decode(path: bytes) -> str:
    """A path as text; bytes that are not UTF-8 survive the way back through `encode`."""
    return path.decode("utf-8", "surrogateescape")


def encode(path: str) -> bytes:
    """The bytes of a path."""
    return path.encode("utf-8", "surrogateescape")


def fields(output: bytes) -> list[bytes]:
    """What a `-z` output holds, each item ended by NUL."""
    return output.split(b"\0")[:-1] if output else []
