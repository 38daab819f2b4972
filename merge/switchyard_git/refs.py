"""Refs and branches: read them, and move many of them in one transaction that compares before it swaps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_git.errors import InvalidName, RefMoved
from switchyard_git.plumbing import Plumbing, fields
from switchyard_git.values import CommitSha, RefName, RefUpdate

_CLASHES = re.compile(r"cannot lock ref '([^']*)'")
# What `git check-ref-format` refuses, without a process for each name.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(^|/)\.|\.lock(/|$)|\.$|/$")
_LONGEST_COMPONENT_BYTES = 250
_MOVED = ("is at", "reference already exists", "unable to resolve", "reference is missing", "but expected")


@dataclass(frozen=True)
class Refs(Plumbing):
    """Verbs over refs."""

    def head_branch(self) -> str | None:
        """The branch that HEAD is on, even one without a commit; None when HEAD is detached."""
        result = self._run("symbolic-ref", "--quiet", "HEAD")
        return result.stdout.decode().strip().removeprefix("refs/heads/") if not result.code else None

    def branch_exists(self, branch: str) -> bool:
        """Whether there is a local branch of that name."""
        return self._run("show-ref", "--verify", "--quiet", f"refs/heads/{branch}").code == 0

    def refs(self, prefix: str = "refs/") -> dict[RefName, CommitSha]:
        """Every ref beneath `prefix` (whole path components); a tag stands for the commit it names."""
        form = "%(refname)%00%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
        listing = self._ask("for-each-ref", f"--format={form}", "--", prefix).decode("utf-8", "surrogateescape")
        pairs = (line.split("\0") for line in listing.split("\n") if line)
        return {RefName(name): CommitSha(sha) for name, sha in pairs}

    def update_refs(self, updates: Sequence[RefUpdate]) -> None:
        """Make every update, or none of them.

        Raises:
            RefMoved: A ref is not where its update expects it.
            InvalidName: A name that git does not accept.
        """
        if not updates:
            return
        script = b"".join(_instruction(update) for update in updates)
        result = self._run("update-ref", "--no-deref", "--stdin", "-z", stdin=script)
        if not result.code:
            return
        if any(sign in result.stderr for sign in _MOVED):
            clashing = tuple(RefName(name) for name in _CLASHES.findall(result.stderr))
            raise RefMoved(f"no ref was changed in {self.git_dir}: {result.stderr.strip()}", refs=clashing)
        raise self._failed(("update-ref",), result)

    def checked_out_branches(self) -> dict[RefName, Path]:
        """The branches that some worktree of this repository is on, with that worktree."""
        found: dict[RefName, Path] = {}
        worktree = ""
        for field in fields(self._ask("worktree", "list", "--porcelain", "-z")):
            label, _, value = field.decode("utf-8", "surrogateescape").partition(" ")
            if label == "worktree":
                worktree = value
            elif label == "branch":
                found[RefName(value)] = Path(worktree)
        return found


def is_valid_ref(name: str) -> bool:
    """Whether git accepts this full ref name, and a file system can store it."""
    components = name.split("/")
    if not name.startswith("refs/") or len(components) < 3 or _FORBIDDEN.search(name):
        return False
    return all(len(part.encode("utf-8", "surrogateescape")) <= _LONGEST_COMPONENT_BYTES for part in components)


def checked_ref(name: str) -> RefName:
    """The name as a ref.

    Raises:
        InvalidName: git does not accept it.
    """
    if not is_valid_ref(name):
        raise InvalidName(f"{name!r} is no valid ref name", hint="see `git help check-ref-format` for the rules")
    return RefName(name)


def _instruction(update: RefUpdate) -> bytes:
    name = checked_ref(update.ref)
    if update.new is None:
        words = f"delete {name}\0{update.expected or ''}\0"
    elif update.expected is None:
        words = f"create {name}\0{update.new}\0"
    else:
        words = f"update {name}\0{update.new}\0{update.expected}\0"
    return words.encode("utf-8", "surrogateescape")
