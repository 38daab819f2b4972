"""A JSON document kept as the message of a commit that one ref of the factory's names."""

from __future__ import annotations

from collections.abc import Iterable

from switchyard_git import CommitSha, RefUpdate, Repository, Signature, checked_ref

_WHO = Signature("Switchyard", "switchyard@localhost", 0)


def load_note(repository: Repository, name: str) -> tuple[str, CommitSha] | None:
    """The document, with the version that `save_note` compares; None where there is none."""
    ref = checked_ref(name)
    found = repository.refs(ref).get(ref)
    if found is None:
        return None
    (commit,) = repository.read_commits([found])
    return commit.message, found


def save_note(
    repository: Repository, name: str, document: str, expected: CommitSha | None, *, keeps: Iterable[CommitSha] = ()
) -> CommitSha:
    """Put a document in place of the version that was loaded; None: of none.

    Args:
        keeps: Commits that git keeps for as long as the ref is there.

    Raises:
        RefMoved: Somebody else saved in between.
    """
    tree = repository.write_tree_from(None, {})
    commit = repository.commit_tree(tree, list(dict.fromkeys(keeps)), document + "\n", author=_WHO, committer=_WHO)
    if commit != expected:
        repository.update_refs([RefUpdate(checked_ref(name), commit, expected)])
    return commit
