"""Code for a place where this git will never run: a work tree with a `.git` of its own, and packs of what it lacks."""

from __future__ import annotations

import os
from pathlib import Path

from switchyard_git.errors import GitError
from switchyard_git.plumbing import LOCAL_TIMEOUT_S, encode
from switchyard_git.process import Result, Settings, clean_environment, git_argv, run
from switchyard_git.repository import Repository
from switchyard_git.values import CommitSha


def lay_out(source: Repository, commit: CommitSha, target: Path, settings: dict[str, str], *, sparse: str = "") -> None:
    """Make `target`, an absent folder, a work tree at `commit` with a detached HEAD, no remote and borrowed objects.

    Attributes of line endings apply, filters and hooks do not; folders of submodules stay empty.

    Args:
        settings: Written to the new repository's configuration.
        sparse: Patterns as in `git sparse-checkout set --no-cone`: which files are laid out; empty: all.

    Raises:
        GitError: The commit cannot be laid out.
    """
    target.mkdir(parents=True)
    form = "sha256" if len(commit) == 64 else "sha1"
    _git(target, "init", "--quiet", "--template=", f"--object-format={form}", ".")
    borrowed = target / ".git" / "objects" / "info"
    borrowed.mkdir(parents=True, exist_ok=True)
    (borrowed / "alternates").write_bytes(alternate(source.common_dir / "objects"))
    cut = source.common_dir / "shallow"
    if cut.is_file():
        (target / ".git" / "shallow").write_bytes(cut.read_bytes())
    if sparse:
        settings = {**settings, "core.sparseCheckout": "true", "core.sparseCheckoutCone": "false"}
        (target / ".git" / "info").mkdir(exist_ok=True)
        (target / ".git" / "info" / "sparse-checkout").write_bytes(encode(sparse))
    for name, value in settings.items():
        _git(target, "config", name, value)
    _git(target, "checkout", "--quiet", "--force", "--detach", commit)


def alternate(objects: Path) -> bytes:
    """A line of `objects/info/alternates` that borrows from an object database, wherever that lies."""
    path = os.fsencode(objects)
    if b"\n" in path or path.startswith((b'"', b"#")):
        path = b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    return path + b"\n"


def share_objects(source: Repository) -> None:
    """Let every user of the machine read what is stored from now on, whatever the umask of the one who stores it."""
    _git(source.git_dir, f"--git-dir={source.git_dir}", "config", "core.sharedRepository", "all")


def refresh_index(target: Path) -> None:
    """Make the index of a work tree that nobody else has written yet agree with its files' times."""
    _git(target, "update-index", "-q", "--really-refresh")


def pack_between(source: Repository, have: CommitSha, want: CommitSha, pack: Path) -> None:
    """Write one thin pack with what `want` holds and `have` does not.

    Raises:
        GitError: A commit is missing.
    """
    result = run(
        git_argv((f"--git-dir={source.git_dir}", "pack-objects", "--revs", "--thin", "--stdout", "-q"), Settings.NONE),
        cwd=source.git_dir,
        env=clean_environment(os.environ, Settings.NONE),
        timeout_s=LOCAL_TIMEOUT_S,
        stdin=f"{want}\n^{have}\n".encode(),
    )
    if result.code:
        raise _failure(("pack-objects", want), source.git_dir, result)
    pack.write_bytes(result.stdout)


def _git(target: Path, *arguments: str) -> None:
    result = run(
        git_argv(arguments, Settings.NONE),
        cwd=target,
        env=clean_environment(os.environ, Settings.NONE),
        timeout_s=LOCAL_TIMEOUT_S,
    )
    if result.code:
        raise _failure(arguments, target, result)


def _failure(arguments: tuple[str, ...], where: Path, result: Result) -> GitError:
    said = result.stderr.strip() or f"exit {result.code}"
    return GitError(f"git {arguments[0]} failed in {where}: {said}", hint="run `git fsck` in the repository")
