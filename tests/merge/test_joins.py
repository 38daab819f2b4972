"""A join holds its parents and nothing else, and is the same whenever it is made."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest
from switchyard_git import CommitSha, Signature
from switchyard_merge import Conflicted, Joined, MergeError, join_of
from yard import ADA, LONG, WHO, Yard

Tip = Callable[[str], CommitSha]


def test_a_join_of_two_has_both_as_parents_and_both_edits(yard: Yard, tip: Tip) -> None:
    one, two = tip("a"), tip("b")
    joined = join_of(yard.factory, [one, two], who=WHO)
    assert isinstance(joined, Joined)
    (commit,) = yard.factory.read_commits([joined.commit])
    assert commit.parents == (one, two)
    assert yard.files(joined.commit) == {"a": f"a edited\n{LONG}", "b": f"b edited\n{LONG}", "c": LONG}


def test_a_diamonds_end_shows_only_its_own_edit_against_the_join(yard: Yard, tip: Tip) -> None:
    joined = join_of(yard.factory, [tip("a"), tip("b")], who=WHO)
    assert isinstance(joined, Joined)
    child = yard.commit(joined.commit, {"d": "own\n"})
    assert [change.path for change in yard.factory.changes(joined.commit, child)] == ["d"]
    assert [change.path for change in yard.factory.changes(yard.base, child)] == ["a", "b", "d"]


def test_two_unrelated_roots_are_joined_on_their_common_base(yard: Yard, tip: Tip) -> None:
    joined = join_of(yard.factory, [tip("a"), tip("c")], who=WHO)
    assert isinstance(joined, Joined)
    assert yard.factory.merge_bases(joined.commit, yard.base) == [yard.base]


def test_the_same_parents_give_the_same_join_at_any_time(yard: Yard) -> None:
    one = yard.commit(yard.base, {"a": "1"}, at=50)
    two = yard.commit(yard.base, {"b": "2"}, at=90)
    first = join_of(yard.factory, [one, two], who=WHO)
    later = join_of(yard.factory, [one, two], who=Signature(WHO.name, WHO.email, 99_999))
    assert first == later
    assert isinstance(first, Joined)
    (commit,) = yard.factory.read_commits([first.commit])
    assert commit.committer == Signature(WHO.name, WHO.email, ADA.timestamp + 90)


def test_many_parents_make_one_commit_and_one_tree_in_any_order(yard: Yard, tip: Tip) -> None:
    tips = [tip("a"), tip("b"), tip("c"), yard.commit(yard.base, {"d": "new\n"})]
    trees = set()
    for order in list(permutations(tips))[::5]:
        joined = join_of(yard.factory, order, who=WHO)
        assert isinstance(joined, Joined)
        assert yard.factory.read_commits([joined.commit])[0].parents == order
        trees.add(yard.factory.tree_of(joined.commit))
    assert len(trees) == 1


def test_a_parent_that_another_holds_is_dropped(yard: Yard, tip: Tip) -> None:
    one = tip("a")
    above = yard.commit(one, {"b": "on top\n"})
    assert join_of(yard.factory, [one, above, yard.base, above], who=WHO) == Joined(above, (above,))
    other = tip("c")
    joined = join_of(yard.factory, [one, above, other], who=WHO)
    assert isinstance(joined, Joined)
    assert joined.parents == (above, other)


def test_parents_that_share_a_merged_ancestor_are_joined_without_a_false_conflict(yard: Yard, tip: Tip) -> None:
    inner = join_of(yard.factory, [tip("a"), tip("b")], who=WHO)
    assert isinstance(inner, Joined)
    left = yard.commit(inner.commit, {"a": "a edited\nleft\n" + LONG})
    right = yard.commit(inner.commit, {"b": "b edited\nright\n" + LONG})
    joined = join_of(yard.factory, [left, right, tip("c")], who=WHO)
    assert isinstance(joined, Joined)
    assert yard.files(joined.commit)["a"].startswith("a edited\nleft\n")
    assert yard.files(joined.commit)["b"].startswith("b edited\nright\n")


def test_later_parents_that_share_a_commit_are_joined_without_a_false_conflict(yard: Yard, tip: Tip) -> None:
    shared = yard.commit(yard.base, {"b": f"shared\n{LONG}"})
    first = yard.commit(shared, {"b": f"shared, then changed\n{LONG}"})
    second = yard.commit(shared, {"c": "second\n"})
    joined = join_of(yard.factory, [tip("a"), first, second], who=WHO)
    assert isinstance(joined, Joined)
    assert yard.files(joined.commit)["b"].startswith("shared, then changed")


def test_parents_that_clash_are_named_with_their_files(yard: Yard, tip: Tip) -> None:
    one, two = tip("a"), tip("b")
    rival = yard.commit(yard.base, {"a": f"rival\n{LONG}"})
    outcome = join_of(yard.factory, [one, two, rival], who=WHO)
    assert isinstance(outcome, Conflicted)
    assert (outcome.paths, outcome.between) == (("a",), (one, rival))


def test_a_join_of_nothing_is_refused(yard: Yard) -> None:
    with pytest.raises(MergeError, match="no heads"):
        join_of(yard.factory, [], who=WHO)
