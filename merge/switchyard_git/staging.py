"""Makes a tree out of loose files by an index of its own, with the line-ending rules of a commit that is trusted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_git.errors import GitError
from switchyard_git.plumbing import LOCAL_TIMEOUT_S, decode, encode, fields
from switchyard_git.process import Settings, clean_environment, git_argv, run
from switchyard_git.repository import Repository
from switchyard_git.values import CommitSha, ObjectSha, TreeSha

_CONFIG = (
    "core.bare=false",
    "core.fileMode=true",
    "core.symlinks=true",
    "core.ignoreCase=false",
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.protectNTFS=true",
    "core.protectHFS=true",
)


@dataclass(frozen=True)
class Staging:
    """An index beside a folder of files. Of attribute files those in `files` play a part: put trusted ones there."""

    repository: Repository
    files: Path
    index: Path

    @classmethod
    def begin(cls, repository: Repository, base: CommitSha, folder: Path) -> Staging:
        """Start from a commit's tree; files to add go below `folder`/tree."""
        staging = cls(repository, folder / "tree", folder / "index")
        staging.files.mkdir(parents=True, exist_ok=True)
        staging._git("read-tree", base)
        return staging

    def attributes(self, name: str, paths: Sequence[str]) -> dict[str, str]:
        """The value of one attribute for each path, as `set`, `unset`, `unspecified` or text."""
        answer = fields(self._git("check-attr", "-z", "--stdin", name, stdin=_joined(paths)))
        return {decode(answer[at]): decode(answer[at + 2]) for at in range(0, len(answer) - 2, 3)}

    def add(self, paths: Sequence[str]) -> list[str]:
        """Add files of `files`, line endings turned as attributes say; returns the paths that git refuses."""
        if not paths:
            return []
        try:
            self._add(paths)
        except GitError:
            if len(paths) == 1:
                return list(paths)
            middle = len(paths) // 2
            return self.add(paths[:middle]) + self.add(paths[middle:])
        return []

    def set_entries(self, entries: Mapping[str, tuple[str, ObjectSha] | None]) -> None:
        """Put objects at paths as they are; None removes a path."""
        nothing = "0" * 40
        script = b"".join(
            (f"0 {nothing}\t" if entry is None else f"{entry[0]} {entry[1]}\t").encode() + encode(path) + b"\0"
            # Removals first, or one would take away what replaces it.
            for path, entry in sorted(entries.items(), key=lambda item: (item[1] is not None, item[0]))
        )
        if script:
            self._git("update-index", "-z", "--add", "--replace", "--index-info", stdin=script)

    def write(self) -> TreeSha:
        """The tree that the index holds now."""
        return TreeSha(self._git("write-tree").decode().strip())

    def _add(self, paths: Sequence[str]) -> None:
        self._git("update-index", "--add", "--replace", "-z", "--stdin", stdin=_joined(paths))

    def _git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        place = (f"--git-dir={self.repository.git_dir}", f"--work-tree={self.files}")
        result = run(
            git_argv((*place, *arguments), Settings.NONE, _CONFIG),
            cwd=self.files,
            env=clean_environment(os.environ, Settings.NONE) | {"GIT_INDEX_FILE": str(self.index)},
            timeout_s=LOCAL_TIMEOUT_S,
            stdin=stdin,
        )
        if result.code:
            said = result.stderr.strip() or f"exit {result.code}"
            raise GitError(
                f"git {arguments[0]} failed in {self.files}: {said}", hint="run `git fsck` in the repository"
            )
        return result.stdout


def _joined(paths: Iterable[str]) -> bytes:
    return b"".join(encode(path) + b"\0" for path in paths)
