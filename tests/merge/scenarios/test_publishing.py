"""M01–M04, M13, M14, M35–M37: what is published for a DAG, and what is refused before anything is pushed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from stage import Stage, branch, join
from switchyard_merge import (
    Conflicted,
    CyclicPlan,
    Marker,
    ParentLine,
    Plan,
    PullRequestText,
    branch_name,
    find_all_conflicts,
    join_of,
    merge_body,
    render_body,
)
from switchyard_merge.body import read_parents
from switchyard_merge.forge.contract import PullRequest
from switchyard_merge.keep import Keeper
from switchyard_merge.record import StackRecord
from yard import LONG, WHO, Yard


@pytest.fixture
def stage(yard: Yard, tmp_path: Path) -> Stage:
    return Stage.open(yard, tmp_path)


def test_m01_a_chain_is_stacked(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1"}]), "b": (["a"], [{"fb": "1"}]), "c": (["b"], [{"fc": "1"}])})
    assert stage.bases() == {"a": "main", "b": "a", "c": "b"}
    assert [stage.diff(task) for task in "abc"] == [{"fa": "A"}, {"fb": "A"}, {"fc": "A"}]


def test_m02_the_end_of_a_diamond_shows_its_own_work_only(stage: Stage) -> None:
    stage.publish(
        {
            "a": ([], [{"fa": "1"}]),
            "b": (["a"], [{"fb": "1"}]),
            "c": (["a"], [{"fc": "1"}]),
            "d": (["b", "c"], [{"fd": "1"}]),
        }
    )
    assert stage.pull("d").base == join("d")
    assert stage.diff("d") == {"fd": "A"}


def test_m03_two_roots_are_joined_and_the_body_lists_both(stage: Stage) -> None:
    stage.publish({"b": ([], [{"fb": "1"}]), "c": ([], [{"fc": "1"}]), "d": (["b", "c"], [{"fd": "1"}])})
    assert (stage.bases()["d"], stage.diff("d")) == ("join-d", {"fd": "A"})
    parents = [ParentLine(task, stage.numbers[task]) for task in ("b", "c")]
    body = render_body(PullRequestText(Marker("d", "r", "0"), "d", "Do d.", parents=parents))
    assert read_parents(merge_body(stage.pull("d").body, body)) == [stage.numbers["b"], stage.numbers["c"]]


def test_m04_twenty_children_share_one_base(stage: Stage) -> None:
    children = {f"t{number}": (["a"], [{f"f{number}": "1"}]) for number in range(20)}
    stage.publish({"a": ([], [{"fa": "1"}]), **children})
    assert set(stage.bases().values()) == {"main", "a"}
    assert len(stage.forge.list()) == 21


def test_m13_parents_that_conflict_are_refused_with_their_files(stage: Stage) -> None:
    one, other = stage.yard.commit(stage.yard.base, {"a": "1\n"}), stage.yard.commit(stage.yard.base, {"a": "2\n"})
    outcome = join_of(stage.yard.factory, [one, other], who=WHO)
    assert isinstance(outcome, Conflicted)
    assert (outcome.paths, outcome.between) == (("a",), (one, other))
    assert stage.yard.heads() == {}


def test_m14_siblings_that_conflict_are_told_before_a_push(stage: Stage) -> None:
    heads = {
        "one": stage.yard.commit(stage.yard.base, {"a": f"1\n{LONG}"}),
        "two": stage.yard.commit(stage.yard.base, {"a": f"2\n{LONG}"}),
        "calm": stage.yard.commit(stage.yard.base, {"b": f"2\n{LONG}"}),
    }
    (found,) = find_all_conflicts(stage.yard.factory, heads)
    assert (found.head, found.other, found.paths) == ("one", "two", ("a",))
    assert stage.yard.heads() == {}


def test_m35_a_circle_is_rejected_before_a_push(stage: Stage) -> None:
    with pytest.raises(CyclicPlan) as caught:
        stage.publish({"a": (["b"], [{"fa": "1"}]), "b": (["a"], [{"fb": "1"}])})
    assert caught.value.cycle == ("a", "b", "a")
    assert (stage.yard.heads(), list(stage.forge.list())) == ({}, [])


def test_m36_a_persons_text_outlives_a_restack(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1"}]), "b": (["a"], [{"fb": "1"}])})
    number = stage.numbers["b"]
    stage.forge.edit(number, title="Theirs", body=f"Please hurry.\n\n{stage.pull('b').body}\nReviewed-by: Ada\n")
    stage.land("a")

    def bodies(record: StackRecord, pulls: Mapping[str, PullRequest]) -> dict[str, str]:
        tips = {name: recorded.aim.tip for name, recorded in record.branches.items()}
        return {name: render_body(PullRequestText(Marker("b", "r", tip), "b", "Do b.")) for name, tip in tips.items()}

    keeper = Keeper(stage.yard.factory, stage.watched, stage.yard.origin.git_dir, WHO, bodies)
    keeper.keep("r")
    assert stage.watched.writes == [("edit", number), ("edit", number)]
    pull = stage.pull("b")
    assert (pull.title, pull.base) == ("Theirs", "main")
    assert pull.body.startswith("Please hurry.")
    assert pull.body.endswith("Reviewed-by: Ada\n")
    assert f"head={pull.head_sha} " in pull.body
    keeper.keep("r")
    assert len(stage.watched.writes) == 2


def test_m37_odd_and_very_long_names_work(stage: Stage) -> None:
    names = ["größe", "a b", "x" * 300, "a..b", "-dash", "100%", "🚀", "end.lock"]
    branches = [branch_name("run 1", name) for name in names]
    assert len(set(branches)) == len(names)
    plan = Plan.of({name: names[:position][-1:] for position, name in enumerate(names)})
    assert list(plan.order) == names
    stage.publish({task: ([], [{f"f{number}": "1"}]) for number, task in enumerate(map(_last, branches))})
    stage.land(_last(branches[0]))
    stage.keep()
    assert set(stage.yard.heads()) == {branch(_last(name)) for name in branches}


def _last(name: str) -> str:
    return name.rpartition("/")[2]
