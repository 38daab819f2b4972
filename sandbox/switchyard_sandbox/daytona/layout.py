"""Runs in a box: lays out the commit that the host sent, and notes how every file looks before the first command."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path
from typing import TypedDict

from switchyard_sandbox.contract import SandboxError
from switchyard_sandbox.embedded.bounds import disk_usage
from switchyard_sandbox.launch import run

STAMPS = "stamps.json"
_GIT_S = 600.0
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
}

Stamp = list[int]
"""Inode, change time, size and mode of a file, and whether git tracks it (1 or 0)."""


class LayOut(TypedDict):
    """What the host asks for. Paths are the box's."""

    base: str
    work: str
    measured: list[str]
    """Folders whose size before the first command no limit counts."""
    clone: str
    """A clone to take the repository from; empty: there is one already, or a new one is made."""
    packs: list[str]
    commit: str
    shallow: list[str]
    """Commits whose parents were not sent."""
    settings: dict[str, str]
    sparse: str
    """The text of `info/sparse-checkout`; empty: everything is laid out."""


def lay_out(asked: LayOut) -> dict[str, str | int]:
    """Bring the work tree to the commit; what is not tracked stays.

    Returns:
        `error` with what git said where it failed; who the box's user is, and what its files take on disk.
    """
    work = Path(asked["work"])
    told = _tell_user()
    try:
        _make_repository(work, asked)
        for pack in asked["packs"]:
            with open(pack, "rb") as given:
                _git(work, "index-pack", "--stdin", "--fix-thin", stdin=given.read())
            Path(pack).unlink()
        _configure(work, asked)
        _git(work, "checkout", "--quiet", "--force", "--detach", asked["commit"])
        tracked = _git(work, "ls-files", "-z").split(b"\0")
    except SandboxError as err:
        return {**told, "error": str(err)}
    stamps = take_stamps(str(work), {os.fsdecode(path) for path in tracked})
    Path(asked["base"], STAMPS).write_text(json.dumps(stamps))
    return {**told, "disk_bytes": sum(disk_usage(folder) for folder in asked["measured"])}


def take_stamps(tree: str, tracked: set[str]) -> dict[str, Stamp]:
    """How every file and link below `tree` looks, its `.git` aside; no command can forge a change time."""
    found: dict[str, Stamp] = {}
    for folder, inner, names in os.walk(tree):
        if folder == tree and ".git" in inner:
            inner.remove(".git")
        for name in [*names, *(link for link in inner if Path(folder, link).is_symlink())]:
            path = os.path.relpath(f"{folder}/{name}", tree)
            found[path] = [*stamp(os.lstat(f"{folder}/{name}")), int(path in tracked)]
    return found


def stamp(status: os.stat_result) -> list[int]:
    """What tells an untouched file."""
    return [status.st_ino, status.st_ctime_ns, status.st_size, status.st_mode]


def _tell_user() -> dict[str, str | int]:
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return {"uid": uid, "name": name, "path": os.environ.get("PATH", _ENVIRONMENT["PATH"])}


def _make_repository(work: Path, asked: LayOut) -> None:
    work.mkdir(exist_ok=True)
    if asked["clone"]:
        # Only the repository: whoever cloned need not have heeded the attributes of line endings.
        Path(asked["clone"], ".git").rename(work / ".git")
        _git(work, "remote", "remove", "origin")
        (work / ".git" / "index").unlink(missing_ok=True)
    elif not (work / ".git").exists():
        form = "sha256" if len(asked["commit"]) == 64 else "sha1"
        _git(work, "init", "--quiet", "--template=", f"--object-format={form}", ".")


def _configure(work: Path, asked: LayOut) -> None:
    settings = dict(asked["settings"])
    if asked["shallow"]:
        (work / ".git" / "shallow").write_text("".join(f"{commit}\n" for commit in asked["shallow"]))
    if asked["sparse"]:
        settings |= {"core.sparseCheckout": "true", "core.sparseCheckoutCone": "false"}
        (work / ".git" / "info").mkdir(exist_ok=True)
        (work / ".git" / "info" / "sparse-checkout").write_bytes(asked["sparse"].encode("utf-8", "surrogateescape"))
    for name, value in settings.items():
        _git(work, "config", name, value)


def _git(work: Path, *words: str, stdin: bytes = b"") -> bytes:
    argv = ("git", "-c", "core.hooksPath=/dev/null", *words)
    result = run(argv, cwd=work, env=_ENVIRONMENT, timeout_s=_GIT_S, stdin=stdin)
    if result.code:
        said = result.stderr.decode("utf-8", "replace").strip()
        raise SandboxError(f"git {words[0]} failed in the box: {said}", hint="is the image's git recent enough?")
    return result.stdout
