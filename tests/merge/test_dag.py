"""The order of tasks is right, the same each time, and refuses what has no order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchyard_merge import CyclicPlan, Plan, UnknownDependency

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def test_a_chain_is_stacked_link_by_link() -> None:
    plan = Plan.of({"c": ["b"], "b": ["a"], "a": []})
    assert plan.order == ("a", "b", "c")
    assert [plan.parents(task) for task in plan.order] == [[], ["a"], ["b"]]
    assert plan.generations() == [["a"], ["b"], ["c"]]


def test_a_diamond_has_two_parents_at_its_end() -> None:
    plan = Plan.of(DIAMOND)
    assert plan.parents("d") == ["b", "c"]
    assert plan.children("a") == ["b", "c"]
    assert plan.roots() == ["a"]
    assert plan.generations() == [["a"], ["b", "c"], ["d"]]
    assert plan.ancestors("d") == ["a", "b", "c"]
    assert plan.descendants("a") == ["b", "c", "d"]


def test_a_dependency_that_another_already_holds_is_no_parent() -> None:
    assert Plan.of({"a": [], "b": ["a"], "c": ["a", "b"]}).parents("c") == ["b"]


def test_the_callers_key_decides_among_equals() -> None:
    priority = {"a": 3, "b": 1, "c": 2, "late": 1}
    plan = Plan.of({"a": [], "b": [], "c": [], "late": ["a"]}, key=lambda task: (priority[task], task))
    assert plan.order == ("b", "c", "a", "late")
    assert plan.roots() == ["b", "c", "a"]


def test_a_circle_is_refused_with_its_path() -> None:
    with pytest.raises(CyclicPlan) as caught:
        Plan.of({"x": [], "b": ["a"], "c": ["b"], "a": ["c", "x"]})
    assert str(caught.value).endswith("a → c → b → a")
    assert caught.value.cycle == ("a", "c", "b", "a")
    with pytest.raises(CyclicPlan, match="self → self"):
        Plan.of({"self": ["self"]})


def test_an_unknown_dependency_is_refused_with_both_names() -> None:
    with pytest.raises(UnknownDependency, match="b depends on ghost, phantom") as caught:
        Plan.of({"a": [], "b": ["phantom", "a", "ghost"]})
    assert caught.value.missing == {"b": ("ghost", "phantom")}


@st.composite
def dags(draw: st.DrawFn) -> dict[str, list[str]]:
    names = [f"t{number}" for number in range(draw(st.integers(1, 9)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:index]), unique=True) if index else st.just([]))
        for index, name in enumerate(names)
    }


@given(dag=dags(), seed=st.randoms())
def test_order_does_not_depend_on_how_the_tasks_were_listed(dag: dict[str, list[str]], seed: object) -> None:
    shuffled = list(dag)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    plan = Plan.of(dag)
    assert Plan.of({name: dag[name] for name in shuffled}).order == plan.order
    position = {task: index for index, task in enumerate(plan.order)}
    assert all(position[parent] < position[task] for task, parents in dag.items() for parent in parents)


@given(dag=dags())
def test_the_reduced_parents_hold_every_dependency(dag: dict[str, list[str]]) -> None:
    plan = Plan.of(dag)
    for task in dag:
        parents = plan.parents(task)
        held = set(parents).union(*(plan.ancestors(parent) for parent in parents))
        assert held == set(plan.ancestors(task)) >= set(dag[task])
        assert not any(parent in plan.ancestors(other) for parent in parents for other in parents)
