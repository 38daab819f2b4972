"""Recognises work that reached the base outside of the forge: by its tree, or by the patch of all its commits."""

from __future__ import annotations

from collections.abc import Mapping

from switchyard_git import CommitSha, Repository

from switchyard_merge.record import Stand

_NEWEST = 100
"""How many commits of the base are looked at."""


def landed_by_hand(repository: Repository, stands: Mapping[str, Stand], base_tip: CommitSha) -> dict[str, CommitSha]:
    """The branches whose whole change one commit of the base made since, with that commit.

    A squash has no ancestor in common with what it squashed, so neither ancestry nor single commits tell.
    """
    due = {branch: stand for branch, stand in stands.items() if stand.floor != base_tip and stand.tip != stand.floor}
    if not due:
        return {}
    written = repository.read_written([sha for stand in due.values() for sha in (stand.tip, stand.floor)])
    changed = {branch: s for branch, s in due.items() if written[s.tip].tree != written[s.floor].tree}
    since = _since(repository, changed, base_tip)
    if not since:
        return {}
    # One commit that makes the change of the whole branch: its patch is what a squash of it has.
    made_whole = repository.stand_ins([(written[stand.tip].tree, stand.floor) for stand in changed.values()])
    whole = dict(zip(changed, made_whole, strict=True))
    patches = repository.patch_ids([*whole.values(), *since])
    made: dict[str, CommitSha] = {}
    for commit in since:
        if commit in patches:
            made.setdefault(patches[commit], commit)
    found = {branch: made.get(patches.get(commit, "")) for branch, commit in whole.items()}
    return {branch: commit for branch, commit in found.items() if commit}


def _since(repository: Repository, stands: Mapping[str, Stand], base_tip: CommitSha) -> list[CommitSha]:
    """The newest commits of the base that some branch was not made on."""
    shared = repository.common_base([*(stand.floor for stand in stands.values()), base_tip]) if stands else None
    if shared is None or shared == base_tip:
        return []
    return [commit.sha for commit in repository.first_parent_log(base_tip, limit=_NEWEST, exclude=shared)]
