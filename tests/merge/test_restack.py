"""Branches are put elsewhere as `git rebase --onto` would do it, without a worktree and without a ref being moved."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from switchyard_git import CommitSha, RefName, RefUpdate, Repository
from switchyard_merge import MergeError
from switchyard_merge.restack import Conflicted, Held, Layer, Restacked, replay_branch, restack
from yard import LONG, WHO, Yard


def moved(outcome: object) -> Restacked:
    assert isinstance(outcome, Restacked), outcome
    return outcome


def test_author_message_and_dates_stay_to_the_byte(yard: Yard) -> None:
    tree = yard.factory.tree_of(yard.commit(yard.base, {"new": "x"}))
    raw = (
        f"tree {tree}\nparent {yard.base}\nauthor Zoë <zoe@example.org> 1700000000 +0530\n"
        "committer Bob <bob@example.org> 1700000100 -0800\nencoding ISO-8859-1\n"
        "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n\n"
    ).encode() + b"Gr\xfc\xdfe\n\nBody  \n\n"
    (tip,) = yard.factory.write_commits([raw])
    onto = yard.commit(yard.base, {"elsewhere": "y"})
    outcome = moved(replay_branch(yard.factory, floor=yard.base, tip=tip, onto=onto))
    copy = yard.factory.read_written([outcome.tip])[outcome.tip]
    assert copy.parents == (onto,)
    assert (
        copy.rest
        == (
            "author Zoë <zoe@example.org> 1700000000 +0530\ncommitter Bob <bob@example.org> 1700000100 -0800\n"
            "encoding ISO-8859-1\n\n"
        ).encode()
        + b"Gr\xfc\xdfe\n\nBody  \n\n"
    )
    assert set(yard.files(outcome.tip)) == {"a", "b", "c", "new", "elsewhere"}


def test_a_branch_that_stays_keeps_its_very_commits(yard: Yard) -> None:
    tip = yard.commit(yard.commit(yard.base, {"a": "1"}), {"a": "2"})
    outcome = moved(restack(yard.factory, [Layer("a", tip, yard.base)], who=WHO)["a"])
    assert (outcome.tip, outcome.floor, outcome.dropped) == (tip, yard.base, ())
    assert moved(replay_branch(yard.factory, floor=yard.base, tip=tip, onto=yard.base)).tip == tip


def test_what_the_new_floor_holds_is_dropped(yard: Yard) -> None:
    first = yard.commit(yard.base, {"new": "x"})
    tip = yard.commit(first, {"a": f"mine\n{LONG}"})
    onto = yard.commit(yard.base, {"new": "x", "other": "y"})
    outcome = moved(replay_branch(yard.factory, floor=yard.base, tip=tip, onto=onto))
    assert outcome.dropped == (first,)
    assert yard.factory.read_commits([outcome.tip])[0].parents == (onto,)
    gone = moved(replay_branch(yard.factory, floor=yard.base, tip=first, onto=onto))
    assert (gone.tip, gone.is_empty) == (onto, True)


def test_a_conflict_names_the_commit_and_its_files_and_holds_what_stands_on_it(yard: Yard) -> None:
    fine = yard.commit(yard.base, {"new": "x"})
    clash = yard.commit(fine, {"a": "mine\n"})
    below = [Layer("low", clash, yard.base, (yard.commit(yard.base, {"a": "theirs\n"}),))]
    above = [
        Layer("high", yard.commit(clash, {"b": "x"}), clash, (), ("low",)),
        Layer("top", yard.commit(clash, {"c": "x"}), clash, (), ("high",)),
    ]
    calm = [Layer("calm", yard.commit(yard.base, {"c": "calm"}), yard.base, (yard.commit(yard.base, {"d": "d"}),))]
    outcomes = restack(yard.factory, [*below, *above, *calm], who=WHO)
    low = outcomes["low"]
    assert isinstance(low, Conflicted)
    assert (low.commit, low.paths) == (clash, ("a",))
    assert {message.kind for message in low.messages if message.is_conflict} == {"CONFLICT (contents)"}
    assert (outcomes["high"], outcomes["top"]) == (Held("low"), Held("high"))
    assert isinstance(outcomes["calm"], Restacked)


def test_a_join_is_made_anew_and_what_stands_on_it_follows(yard: Yard) -> None:
    left, right = yard.commit(yard.base, {"a": f"1\n{LONG}"}), yard.commit(yard.base, {"b": f"1\n{LONG}"})
    joined = moved(restack(yard.factory, [Layer("j", left, left, (left, right))], who=WHO)["j"]).floor
    child = yard.commit(joined, {"child": "x"})
    newer = yard.commit(left, {"a": f"2\n{LONG}"})
    layers = [Layer("left", newer, yard.base), Layer("child", child, joined, (right,), ("left",))]
    outcome = moved(restack(yard.factory, layers, who=WHO)["child"])
    assert yard.factory.read_commits([outcome.floor])[0].parents == (right, newer)
    assert outcome.grounds == (right, newer)
    assert yard.files(outcome.tip) == yard.files(right) | {"a": f"2\n{LONG}", "child": "x"}


def test_parents_that_do_not_go_together_are_told(yard: Yard) -> None:
    left, right = yard.commit(yard.base, {"a": "1\n"}), yard.commit(yard.base, {"a": "2\n"})
    outcome = restack(yard.factory, [Layer("d", yard.commit(left, {"x": "x"}), left, (left, right))], who=WHO)["d"]
    assert isinstance(outcome, Conflicted)
    assert (outcome.commit, outcome.paths) == (None, ("a",))


def test_a_merge_that_a_person_made_keeps_what_they_resolved(yard: Yard) -> None:
    mine = yard.commit(yard.base, {"a": f"mine\n{LONG}"})
    main = yard.commit(yard.base, {"a": f"theirs\n{LONG}", "m": "m"})
    tree = yard.factory.tree_of(yard.commit(mine, {"a": f"both\n{LONG}", "m": "m"}))
    merge = yard.factory.commit_tree(tree, [mine, main], "Merge\n", author=WHO, committer=WHO)
    tip = yard.commit(merge, {"after": "x"})
    onto = yard.commit(main, {"m2": "m"})
    stays = replay_branch(yard.factory, floor=yard.base, tip=tip, onto=onto)
    assert isinstance(stays, Conflicted)
    assert stays.commit == mine
    onto = yard.commit(yard.base, {"later": "x"})
    outcome = moved(replay_branch(yard.factory, floor=yard.base, tip=tip, onto=onto))
    assert yard.files(outcome.tip) == yard.files(tip) | {"later": "x"}


def test_a_layer_without_its_ground_is_refused(yard: Yard) -> None:
    with pytest.raises(MergeError, match="absent"):
        restack(yard.factory, [Layer("a", yard.base, yard.base, (), ("absent",))], who=WHO)


_EDITS = st.dictionaries(
    st.sampled_from(["a", "b", "dir/c", "dir/d", "new"]),
    st.one_of(st.none(), st.tuples(st.integers(0, 3), st.integers(0, 19))),
    min_size=1,
    max_size=2,
)


def _edited(yard: Yard, parent: CommitSha, edits: dict[str, tuple[int, int] | None]) -> CommitSha:
    files = yard.files(parent)
    changes: dict[str, str | None] = {}
    for path, edit in edits.items():
        lines = files.get(path, LONG).splitlines()
        if edit is None and path in files:
            changes[path] = None
        elif edit is not None:
            changes[path] = "\n".join([*lines[: edit[1]], f"text {edit[0]}", *lines[edit[1] + 1 :]]) + "\n"
    return yard.commit(parent, changes)


@given(ours=st.lists(_EDITS, min_size=1, max_size=3), theirs=st.lists(_EDITS, min_size=1, max_size=2))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_outcome_is_that_of_git_rebase(
    yard: Yard,
    tmp_path_factory: pytest.TempPathFactory,
    ours: list[dict[str, tuple[int, int] | None]],
    theirs: list[dict[str, tuple[int, int] | None]],
) -> None:
    floor = yard.commit(yard.base, {"dir/c": LONG, "dir/d": LONG})
    tip = onto = floor
    for edits in ours:
        tip = _edited(yard, tip, edits)
    for edits in theirs:
        onto = _edited(yard, onto, edits)
    outcome = replay_branch(yard.factory, floor=floor, tip=tip, onto=onto)
    expected = rebased(yard.factory, tmp_path_factory.mktemp("rebase"), floor, tip, onto)
    if expected is None:
        assert isinstance(outcome, Conflicted)
    else:
        assert yard.factory.tree_of(moved(outcome).tip) == expected


def rebased(factory: Repository, place: Path, floor: CommitSha, tip: CommitSha, onto: CommitSha) -> str | None:
    """The tree that `git rebase --onto` comes to; None where it stops."""
    factory.update_refs(
        [RefUpdate(RefName("refs/heads/rebased"), tip, factory.refs().get(RefName("refs/heads/rebased")))]
    )
    work = place / "work"
    clone = ["git", "clone", "--quiet", "--shared", "--branch=rebased", str(factory.git_dir), str(work)]
    subprocess.run(clone, check=True)
    identity = ["-c", "user.name=x", "-c", "user.email=x@x", "-c", "merge.directoryRenames=conflict"]
    rebase = ["git", *identity, "rebase", "--quiet", "--empty=drop", "--no-keep-empty", "--onto", onto, floor]
    done = subprocess.run(rebase, cwd=work, capture_output=True, check=False)
    if done.returncode:
        return None
    told = subprocess.run(["git", "rev-parse", "HEAD^{tree}"], cwd=work, capture_output=True, text=True, check=True)
    return told.stdout.strip()


def test_a_commit_that_no_git_of_today_would_write_is_put_elsewhere_all_the_same(yard: Yard) -> None:
    tree = yard.factory.tree_of(yard.commit(yard.base, {"new": "x"}))
    rest = b"author <> 99999999999 +9959\ncommitter no mail -1 +0000\n\n\0\xff no end"
    (tip,) = yard.factory.write_commits([f"tree {tree}\nparent {yard.base}\n".encode() + rest])
    onto = yard.commit(yard.base, {"elsewhere": "y"})
    outcome = moved(replay_branch(yard.factory, floor=yard.base, tip=tip, onto=onto))
    assert yard.factory.read_written([outcome.tip])[outcome.tip].rest == rest
