"""Looks at the user's work tree, and never changes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from switchyard_git.errors import GitError
from switchyard_git.plumbing import Plumbing, decode, fields
from switchyard_git.process import Settings
from switchyard_git.values import CommitSha


@dataclass(frozen=True)
class Worktree(Plumbing):
    """Verbs over the work tree; a bare repository has none."""

    def is_dirty(self, *, untracked: bool = True) -> bool:
        """Whether the work tree or the index differs from HEAD; a bare repository is never dirty."""
        return self.worktree is not None and bool(self._status("normal" if untracked else "no"))

    def dirty_paths(self) -> list[str]:
        """The paths that differ from HEAD, untracked files included; empty for a bare repository."""
        if self.worktree is None:
            return []
        rest = iter(fields(self._status("all")))
        paths = []
        for item in rest:
            paths.append(decode(item[3:]))
            if item[:1] in (b"R", b"C") or item[1:2] in (b"R", b"C"):
                paths.append(decode(next(rest)))
        return sorted(set(paths))

    def worktree_files(self) -> list[str]:
        """Tracked files and those not ignored, by path; submodules are not entered, deleted files are left out."""
        top = self._top()
        flags = ("-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
        listed = [decode(path) for path in fields(self._as_user("ls-files", *flags))]
        return sorted(path for path in listed if _is_file(top / path))

    def list_index(self) -> list[tuple[str, str, str]]:
        """(path, mode, object id) of what is staged; without what is in conflict or outside of a sparse checkout."""
        self._top()
        listing = decode(self._as_user("ls-files", "--stage", "-t", "-z"))
        # `<tag> <mode> <id> <stage>` TAB `<path>`
        heads = [entry.partition("\t") for entry in listing.split("\0")[:-1]]
        return [(path, head[2:8], head[9:-2]) for head, _, path in heads if head[0] == "H"]

    def survey(self) -> tuple[CommitSha | None, dict[str, bool]]:
        """HEAD, None before the first commit, and all that differs from it.

        Returns:
            For each path whether the file itself may differ from what is staged; False is staged and not committed.
            Untracked files are among them; ignored ones and what is outside of a sparse checkout are not.
        """
        self._top()
        head: CommitSha | None = None
        changed: dict[str, bool] = {}
        flags = (
            "--porcelain=v2",
            "--branch",
            "-z",
            "--untracked-files=all",
            "--ignore-submodules=dirty",
            "--no-renames",
        )
        for item in map(decode, fields(self._as_user("status", *flags, "--ignore-submodules=dirty"))):
            match item[0]:
                case "#" if item.startswith("# branch.oid "):
                    oid = item.rpartition(" ")[2]
                    head = CommitSha(oid) if oid != "(initial)" else None
                case "1":
                    # `1 <XY> <sub> <mH> <mI> <mW> <hH> <hI> <path>`; Y tells the file from what is staged.
                    changed[item.split(" ", 8)[8]] = item[3] != "."
                case "u":
                    # `u <XY> <sub> <m1> <m2> <m3> <mW> <h1> <h2> <h3> <path>`: no single content is staged.
                    changed[item.split(" ", 10)[10]] = True
                case "?":
                    changed[item[2:]] = True
        return head, changed

    def _status(self, untracked: str) -> bytes:
        # Submodules count by their commit only: looking inside would run git on what they configure.
        flags = ("--porcelain=v1", "-z", f"--untracked-files={untracked}", "--ignore-submodules=dirty")
        return self._as_user("status", *flags)

    def _as_user(self, *arguments: str) -> bytes:
        """Ask with the user's settings, since line endings and ignored files depend on them."""
        result = self._run(*arguments, settings=Settings.USER)
        if result.code:
            raise self._failed(arguments, result)
        return result.stdout

    def _top(self) -> Path:
        if self.worktree is None:
            raise GitError(f"{self.git_dir} has no work tree", hint="name a revision to read instead")
        return self.worktree


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()
