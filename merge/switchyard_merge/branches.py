"""The names of the factory's branches, and the one rule on what may be pushed."""

from __future__ import annotations

import hashlib
import re

from switchyard_git import RefName, is_valid_ref

from switchyard_merge.errors import ForbiddenRef

FACTORY_PREFIX = "refs/heads/factory/"
JOIN = "join-"

_LONGEST_BYTES = 80
_SAFE = re.compile(r"[^\w.+=@,-]+")


def branch_name(run: str, task: str) -> str:
    """`factory/<run>/<task>`; a part that git could not store is shortened and told apart by a hash."""
    return f"factory/{_part(run)}/{_part(task)}"


def join_branch_name(run: str, task: str) -> str:
    """The branch that a task with several parents is based on: `factory/<run>/join-<task>`."""
    return branch_name(run, f"{JOIN}{task}")


def is_join_branch(branch: str) -> bool:
    """Whether the branch is a join that the factory made."""
    return branch.startswith("factory/") and branch.rpartition("/")[2].startswith(JOIN)


def is_factory_branch(branch: str) -> bool:
    """Whether the branch may be pushed, and deleted."""
    return f"refs/heads/{branch}".startswith(FACTORY_PREFIX)


def checked_factory_ref(branch: str) -> RefName:
    """The full ref of one of the factory's branches; every push goes through here.

    Raises:
        ForbiddenRef: It is anything else: another namespace, a tag, `main`, or no valid name.
    """
    ref = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
    if not ref.startswith(FACTORY_PREFIX) or not is_valid_ref(ref):
        raise ForbiddenRef([branch])
    return RefName(ref)


def _part(text: str) -> str:
    short = len(text.encode("utf-8", "surrogateescape")) <= _LONGEST_BYTES
    if short and "/" not in text and not _SAFE.search(text) and is_valid_ref(f"refs/heads/{text}"):
        return text
    slug = _SAFE.sub("-", text).strip("-.")
    kept = slug.encode("utf-8", "ignore")[: _LONGEST_BYTES - 16].decode("utf-8", "ignore").replace("..", "-")
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return f"{kept.rstrip('.') or 'task'}-{digest}"
