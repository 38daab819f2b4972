"""M25–M27, M34: what git calls clean is clean, the rest is told by kind, and an ejected branch stops its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from stage import Stage, branch
from switchyard_git import FILE_MODE, SUBMODULE_MODE, CommitSha, ObjectSha
from switchyard_merge.restack import Conflicted, Restacked, replay_branch
from yard import ADA, LONG, Yard


@pytest.fixture
def stage(yard: Yard, tmp_path: Path) -> Stage:
    return Stage.open(yard, tmp_path)


def test_m25_an_edit_follows_a_file_that_the_parent_renamed(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}]), "b": (["a"], [{"a": f"{LONG}the child's\n"}])})
    stage.amend("a", {"a": None, "renamed": LONG})
    assert not stage.keep().blocked
    assert stage.diff("b") == {"renamed": "M"}
    assert stage.files(stage.tip("b"))["renamed"] == f"{LONG}the child's\n"


def test_m26_a_new_file_in_a_directory_that_was_renamed_is_reported(stage: Stage) -> None:
    folder: dict[str, str | None] = {f"old/{name}": name * 50 for name in "abc"}
    stage.publish({"a": ([], [folder]), "b": (["a"], [{"old/d": "new\n"}])})
    stage.amend("a", {f"old/{name}": None for name in "abc"} | {f"new/{name}": name * 50 for name in "abc"})
    conflict = stage.keep().blocked[branch("b")].conflict
    assert conflict is not None
    assert any("directory rename" in message.kind for message in conflict.messages)


def commit(yard: Yard, entries: Mapping[str, tuple[str, ObjectSha] | None], parent: CommitSha) -> CommitSha:
    tree = yard.factory.write_tree_from(yard.factory.tree_of(parent), entries)
    return yard.factory.commit_tree(tree, [parent], "x\n", author=ADA, committer=ADA)


def blob(yard: Yard, content: bytes) -> tuple[str, ObjectSha]:
    return FILE_MODE, yard.factory.write_blob(content)


@pytest.mark.parametrize("kind", ["binary", "submodule", "modify/delete"])
def test_m27_a_conflict_is_told_by_its_kind(yard: Yard, kind: str) -> None:
    links = [(SUBMODULE_MODE, ObjectSha(digit * 40)) for digit in "123"]
    versions: dict[str, list[tuple[str, ObjectSha] | None]] = {
        "binary": [blob(yard, b"\0" + text) for text in (b"base", b"ours", b"theirs")],
        "submodule": [*links],
        "modify/delete": [blob(yard, LONG.encode()), blob(yard, f"more\n{LONG}".encode()), None],
    }
    base, ours, theirs = versions[kind]
    floor = commit(yard, {"x": base}, yard.base)
    outcome = replay_branch(
        yard.factory, floor=floor, tip=commit(yard, {"x": ours}, floor), onto=commit(yard, {"x": theirs}, floor)
    )
    assert isinstance(outcome, Conflicted)
    assert outcome.paths == ("x",)
    kinds = {message.kind for message in outcome.messages if message.is_conflict}
    assert any(kind in told for told in kinds), kinds


def test_a_clean_restack_has_nothing_to_report(yard: Yard) -> None:
    tip = yard.commit(yard.base, {"a": f"mine\n{LONG}"})
    onto = yard.commit(yard.base, {"a": f"{LONG}theirs\n"})
    outcome = replay_branch(yard.factory, floor=yard.base, tip=tip, onto=onto)
    assert isinstance(outcome, Restacked)
    assert yard.files(outcome.tip)["a"] == f"mine\n{LONG}theirs\n"


def test_m34_what_stands_on_an_ejected_branch_waits_and_the_others_land(stage: Stage) -> None:
    stage.publish(
        {
            "a": ([], [{"fa": "1\n"}]),
            "b": (["a"], [{"fb": "1\n"}]),
            "c": (["b"], [{"fc": "1\n"}]),
            "d": (["a"], [{"fd": "1\n"}]),
            "e": (["c", "d"], [{"fe": "1\n"}]),
        }
    )
    stage.forge.close(stage.numbers["b"])
    stage.land("a")
    kept = stage.keep()
    assert set(kept.blocked) == {branch(task) for task in "bce"}
    assert stage.pull("d").base == "main"
    stage.land("d")
    stage.keep()
    assert set(stage.files(stage.main())) == {"a", "b", "c", "fa", "fd"}
    stage.forge.reopen(stage.numbers["b"])
    assert not stage.keep().blocked
    assert stage.bases() == {"b": "main", "c": "b", "e": "c"}
    for task in "bce":
        stage.keep()
        stage.land(task)
    assert set(stage.files(stage.main())) == {"a", "b", "c", "fa", "fb", "fc", "fd", "fe"}
