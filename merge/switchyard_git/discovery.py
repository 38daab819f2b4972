"""Finds and makes repositories, and refuses those that are somebody else's.

git itself is asked, because it alone knows its rule of ownership; with `--git-dir` given, as everywhere later, it no
longer looks.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from switchyard_git.errors import GitError, NotARepository, UntrustedRepository
from switchyard_git.plumbing import LOCAL_TIMEOUT_S
from switchyard_git.process import Result, Settings, clean_environment, git_argv, run

# Settings that make git run a program, read another file or talk to another place than the caller named.
_RUNS_PROGRAMS = (
    "core.sshcommand",
    "core.gitproxy",
    "core.askpass",
    "core.editor",
    "core.pager",
    "core.alternaterefscommand",
    "core.worktree",
    "diff.external",
    "gpg.program",
    "include.path",
)
_SECTIONS = ("includeif.", "url.", "credential.", "filter.", "protocol.", "http.")
_VARIABLES = {
    "diff": ("command", "textconv"),
    "merge": ("driver",),
    "remote": ("uploadpack", "receivepack", "vcs"),
    "gpg": ("program", "defaultkeycommand"),
    "submodule": ("update",),
}


@dataclass(frozen=True)
class Place:
    """Where a repository was found."""

    git_dir: Path
    common_dir: Path
    worktree: Path | None


def find(path: Path) -> Place:
    """The repository at `path` or around it.

    Raises:
        NotARepository: There is none.
        UntrustedRepository: It belongs to another user, and the user has not listed it as safe.
    """
    start = _existing(path)
    return _find_plain(start) or _find_any(path, start)


def _find_plain(start: Path) -> Place | None:
    """The usual case, a work tree with its `.git` folder, in one process; None for whatever is more than that."""
    answer = _look(start, "--absolute-git-dir", "--git-common-dir", "--show-toplevel")
    places = _text(answer).split("\n")
    if answer.code or len(places) != 3:
        return None
    git_dir, common, top = (start / place for place in places)
    is_plain = git_dir == top / ".git" and git_dir.is_dir() and not git_dir.is_symlink()
    return Place(git_dir, common.resolve(), top) if is_plain else None


def _find_any(path: Path, start: Path) -> Place:
    answer = _look(start, "--absolute-git-dir", "--is-inside-work-tree")
    if answer.code:
        raise _refusal(path, answer.stderr)
    git_dir, _, inside = _text(answer).rpartition("\n")
    common = _text(_look(start, "--git-common-dir"))
    # From inside .git itself, git names no worktree although the repository has one.
    top = _look(start if inside == "true" else Path(git_dir).parent, "--show-toplevel")
    worktree = None if top.code or not _owns(Path(_text(top)), Path(git_dir)) else Path(_text(top))
    return Place(Path(git_dir), (start / common).resolve(), worktree)


def init(path: Path, *, bare: bool, branch: str = "main") -> None:
    """Make an empty repository without template files; on an existing one it changes nothing."""
    path.mkdir(parents=True, exist_ok=True)
    kind = ("--bare",) if bare else ()
    answer = _git(path, "init", "--quiet", "--template=", f"--initial-branch={branch}", *kind, ".")
    if answer.code:
        raise GitError(
            f"could not make a repository at {path}: {answer.stderr.strip()}", hint="check the path's rights"
        )


def refuse_hostile_settings(place: Place) -> None:
    """Refuse a repository whose own configuration would make git run programs or look elsewhere.

    Raises:
        UntrustedRepository: It has such a setting.
    """
    for file in (place.common_dir / "config", place.git_dir / "config.worktree"):
        for name in _setting_names(place, file) if file.exists() else ():
            if _is_hostile(name):
                raise UntrustedRepository(
                    place.git_dir,
                    f"its configuration sets {name}",
                    hint=f"look at {file} and remove the setting if it is not yours",
                )
    if (place.common_dir / "objects" / "info" / "alternates").exists():
        raise UntrustedRepository(
            place.git_dir,
            "it borrows objects from another repository",
            hint="run `git repack -a -d` and drop alternates",
        )


def _setting_names(place: Place, file: Path) -> list[str]:
    answer = _git(place.git_dir, "config", "--file", str(file), "--no-includes", "--name-only", "-z", "--list")
    if answer.code:
        raise UntrustedRepository(place.git_dir, f"{file.name} cannot be read", hint="repair the file")
    return answer.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


def _is_hostile(name: str) -> bool:
    section, _, rest = name.partition(".")
    if name in _RUNS_PROGRAMS or name.startswith(_SECTIONS):
        return True
    return rest.rpartition(".")[2] in _VARIABLES.get(section, ())


def _existing(path: Path) -> Path:
    """The directory to look from; a path that does not exist is in no repository."""
    start = path.absolute()
    if start.is_file():
        start = start.parent
    if not start.is_dir():
        raise NotARepository(path, hint="the path does not exist")
    return start


def _owns(top: Path, git_dir: Path) -> bool:
    """Whether the worktree found at `top` belongs to this git directory and not to one around it."""
    if not top.is_dir():
        return False
    answer = _look(top, "--absolute-git-dir")
    return answer.code == 0 and Path(_text(answer)).samefile(git_dir)


def _look(path: Path, *questions: str) -> Result:
    return _git(path, "-c", "safe.bareRepository=all", "rev-parse", *questions)


def _git(path: Path, *arguments: str) -> Result:
    # The user's settings hold `safe.directory`, the list of foreign repositories the user trusts.
    env = clean_environment(os.environ, Settings.USER)
    return run(git_argv(arguments, Settings.USER), cwd=path, env=env, timeout_s=LOCAL_TIMEOUT_S)


def _text(answer: Result) -> str:
    return os.fsdecode(answer.stdout.removesuffix(b"\n"))


def _refusal(path: Path, stderr: str) -> GitError:
    if "dubious ownership" in stderr:
        return UntrustedRepository(
            path,
            "it is owned by another user",
            hint=f"run as its owner, or trust it with `git config --global --add safe.directory {path}`",
        )
    if "not a git repository" in stderr:
        return NotARepository(path)
    return GitError(f"git cannot open {path}: {stderr.strip()}", hint="run `git status` there to see what is wrong")
