"""Merges are git's own, many at a time, with every kind of conflict told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from switchyard_git import (
    FILE_MODE,
    CommitSha,
    Conflicted,
    Merged,
    ObjectSha,
    Repository,
    Signature,
    UnrelatedHistories,
)

Git = Callable[..., str]
ADA = Signature("Ada", "ada@example.org", 1_700_000_000)
Edits = Mapping[str, bytes | tuple[str, ObjectSha] | None]
LONG = "".join(f"line {number}\n" for number in range(20)).encode()


@pytest.fixture
def factory(tmp_path: Path) -> Repository:
    return Repository.init_bare(tmp_path / "factory.git")


@pytest.fixture
def make(factory: Repository) -> Callable[..., CommitSha]:
    """A commit with edits on top of a parent."""

    def commit(parent: CommitSha | None, edits: Edits) -> CommitSha:
        updates = {
            path: (FILE_MODE, factory.write_blob(edit)) if isinstance(edit, bytes) else edit
            for path, edit in edits.items()
        }
        tree = factory.write_tree_from(factory.tree_of(parent) if parent else None, updates)
        return factory.commit_tree(tree, [parent] if parent else [], "edit\n", author=ADA, committer=ADA)

    return commit


def kinds(outcome: Merged | Conflicted) -> set[str]:
    assert isinstance(outcome, Conflicted)
    return {message.kind for message in outcome.messages if message.is_conflict}


def test_edits_of_different_files_merge_into_the_same_tree_either_way(
    factory: Repository, make: Callable[..., CommitSha]
) -> None:
    base = make(None, {"a": LONG, "b": LONG})
    one, two = make(base, {"a": LONG + b"one\n"}), make(base, {"b": LONG + b"two\n"})
    there, back = factory.merge_trees([(one, two), (two, one)])
    assert there == back == Merged(factory.tree_of(make(base, {"a": LONG + b"one\n", "b": LONG + b"two\n"})))


def test_the_same_lines_conflict_and_are_named(factory: Repository, make: Callable[..., CommitSha]) -> None:
    base = make(None, {"dir/new\nline": b"x\n", "calm": b"y\n"})
    outcome = factory.merge_tree(make(base, {"dir/new\nline": b"1\n"}), make(base, {"dir/new\nline": b"2\n"}))
    assert isinstance(outcome, Conflicted)
    assert outcome.paths == ("dir/new\nline",)
    assert kinds(outcome) == {"CONFLICT (contents)"}


def test_binary_delete_and_submodule_conflicts_are_told_apart(
    factory: Repository, make: Callable[..., CommitSha]
) -> None:
    module = ("160000", ObjectSha("a" * 40))
    base = make(None, {"image": bytes(range(256)), "gone": LONG, "module": module})
    outcomes = factory.merge_trees(
        [
            (make(base, {"image": b"\0one"}), make(base, {"image": b"\0two"})),
            (make(base, {"gone": None}), make(base, {"gone": LONG + b"kept\n"})),
            (
                make(base, {"module": ("160000", ObjectSha("b" * 40))}),
                make(base, {"module": ("160000", ObjectSha("c" * 40))}),
            ),
            (make(base, {"new": b"file"}), make(base, {"new/inside": b"folder"})),
        ]
    )
    assert "CONFLICT (binary)" in kinds(outcomes[0])
    assert kinds(outcomes[1]) == {"CONFLICT (modify/delete)"}
    assert any("submodule" in kind for kind in kinds(outcomes[2]))
    assert kinds(outcomes[3]) == {"CONFLICT (file/directory)"}
    assert [outcome.paths for outcome in outcomes if isinstance(outcome, Conflicted)][:3] == [
        ("image",), ("gone",), ("module",),
    ]  # fmt: skip


def test_an_edit_follows_a_rename(factory: Repository, make: Callable[..., CommitSha]) -> None:
    base = make(None, {"old": LONG})
    renamed, edited = make(base, {"old": None, "new": LONG}), make(base, {"old": b"first\n" + LONG})
    assert factory.merge_tree(renamed, edited) == Merged(factory.tree_of(make(None, {"new": b"first\n" + LONG})))


def test_a_file_added_to_a_renamed_directory_is_reported(factory: Repository, make: Callable[..., CommitSha]) -> None:
    base = make(None, {f"old/{name}": name.encode() * 50 for name in "abc"})
    moves: dict[str, bytes | None] = {f"old/{name}": None for name in "abc"}
    moved = make(base, {**moves, **{f"new/{name}": name.encode() * 50 for name in "abc"}})
    outcome = factory.merge_tree(moved, make(base, {"old/d": b"added\n"}))
    assert kinds(outcome) == {"CONFLICT (directory rename suggested)"}


def test_no_setting_of_the_repository_changes_the_verdict(
    factory: Repository, make: Callable[..., CommitSha], git: Git
) -> None:
    base = make(None, {"old": LONG})
    pair = make(base, {"old": None, "new": LONG}), make(base, {"old": b"first\n" + LONG})
    before = factory.merge_tree(*pair)
    git(factory.git_dir, "config", "merge.renames", "false")
    git(factory.git_dir, "config", "diff.renames", "false")
    assert factory.merge_tree(*pair) == before


def test_histories_without_a_common_commit_are_refused(factory: Repository, make: Callable[..., CommitSha]) -> None:
    with pytest.raises(UnrelatedHistories) as caught:
        factory.merge_tree(make(None, {"a": b"1"}), make(None, {"a": b"2"}))
    assert "unshallow" in caught.value.hint


def test_a_pair_that_git_itself_dies_on_is_a_conflict_and_spoils_no_other(
    factory: Repository, make: Callable[..., CommitSha]
) -> None:
    files = {f"dir/{name}": name.encode() + LONG for name in ("a", "b", "c", "sub/d")}
    base = make(None, files)
    replaced = make(base, {"dir/sub/d": None, "dir/sub": LONG})
    moved = make(base, {**dict.fromkeys(files), **{f"new-{path}": content for path, content in files.items()}})
    calm = make(base, {"calm": b"x"}), make(base, {"quiet": b"y"})
    outcomes = factory.merge_trees([calm, (replaced, moved), calm, calm[::-1]])
    assert outcomes[0] == outcomes[2] == outcomes[3] == factory.merge_tree(*calm)
    assert isinstance(outcomes[0], Merged)
    assert isinstance(outcomes[1], Conflicted)
    assert any(path.startswith("dir/sub") for path in outcomes[1].paths)
    assert kinds(outcomes[1])


def test_no_pairs_are_no_work(factory: Repository) -> None:
    assert factory.merge_trees([]) == []
