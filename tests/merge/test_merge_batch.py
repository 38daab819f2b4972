"""Several pull requests of the local forge land with one move of their base, or none of them does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from stage import Stage
from switchyard_git import CommitSha, Signature
from switchyard_merge import HeadMoved, NotMergeable
from switchyard_merge.forge import Prepared
from yard import Yard

WHO = Signature("Switchyard", "switchyard@localhost", 5)


@pytest.fixture
def stage(yard: Yard, tmp_path: Path) -> Stage:
    stage = Stage.open(yard, tmp_path)
    stage.publish({"a": ([], [{"fa": "1\n"}]), "b": ([], [{"fb": "1\n"}])})
    return stage


def prepared(stage: Stage) -> list[Prepared]:
    """Both pull requests, landed one on the other."""
    factory, at, found = stage.yard.factory, stage.main(), list[Prepared]()
    for task in ("a", "b"):
        tip = stage.tip(task)
        merged = factory.merge_tree(at, tip)
        at = factory.commit_tree(merged.tree, [at], task, author=WHO, committer=WHO)  # type: ignore[union-attr]
        found.append(Prepared(stage.numbers[task], tip, at))
    return found


def test_all_of_them_merge_by_their_own_commits(stage: Stage) -> None:
    batch = prepared(stage)
    merged = stage.forge.merge_batch(batch, expected_base=stage.main())
    assert [(pull.state, pull.merged_sha) for pull in merged] == [("merged", one.commit) for one in batch]
    assert stage.main() == batch[-1].commit
    assert list(stage.forge.list()) == list(merged)


def drop_the_base(stage: Stage, batch: list[Prepared]) -> list[Prepared]:
    elsewhere = stage.yard.commit(None, {"fa": "1\n"})
    return [batch[0], Prepared(batch[1].number, batch[1].expected_head, elsewhere)]


def after(act: Callable[[Stage], object]) -> Callable[[Stage, list[Prepared]], list[Prepared]]:
    def done(stage: Stage, batch: list[Prepared]) -> list[Prepared]:
        act(stage)
        return batch

    return done


@pytest.mark.parametrize(
    ("trouble", "error", "said"),
    [
        (after(lambda stage: stage.move_main({"theirs": "1\n"})), NotMergeable, "main is at"),
        (after(lambda stage: stage.amend("b", {"fb": "2\n"})), HeadMoved, "its head is"),
        (after(lambda stage: stage.forge.request_changes(2, by="grace")), NotMergeable, "grace requested changes"),
        (after(lambda stage: stage.forge.close(2)), NotMergeable, "it is closed"),
        (after(lambda stage: stage.forge.edit(2, base="factory/r/a")), NotMergeable, "retarget it first"),
        (drop_the_base, NotMergeable, "does not stand on"),
    ],
)
def test_one_obstacle_leaves_all_of_them_as_they_were(
    stage: Stage,
    trouble: Callable[[Stage, list[Prepared]], list[Prepared]],
    error: type[Exception],
    said: str,
) -> None:
    expected: CommitSha = stage.main()
    batch = trouble(stage, prepared(stage))
    before = stage.main()
    with pytest.raises(error, match=said):
        stage.forge.merge_batch(batch, expected_base=expected)
    assert stage.main() == before
    assert [pull.merged_sha for pull in stage.forge.list()] == ["", ""]
