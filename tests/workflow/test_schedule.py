"""Whatever the tasks, the schedule keeps order, overlaps and slots, and never stands still while it could go on."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from switchyard.packets import PlannedTask, TaskId, TaskState
from switchyard.workflow.schedule import SETTLED, blocked_by, ready


def planned(name: str, needs: tuple[str, ...] = (), overlaps: tuple[str, ...] = ()) -> PlannedTask:
    fields = {"depends_on": needs, "parents": needs, "overlaps": overlaps}
    return PlannedTask.model_validate({"id": name, "title": name, "body": "", "branch": f"factory/r/{name}", **fields})


def ids(tasks: list[PlannedTask]) -> list[str]:
    return [task.id for task in tasks]


@dataclass(frozen=True)
class World:
    tasks: list[PlannedTask]
    slots: int
    ends: dict[str, TaskState]
    pick: list[int]
    """Which of the running tasks ends next, modulo their number."""


@st.composite
def worlds(draw: st.DrawFn) -> World:
    names = [f"t{number}" for number in range(draw(st.integers(1, 9)))]
    needs = {
        name: tuple(sorted(draw(st.sets(st.sampled_from(names[:position]), max_size=3)))) if position else ()
        for position, name in enumerate(names)
    }
    pairs = draw(st.sets(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=6))
    near = {name: {b for a, b in pairs | {(b, a) for a, b in pairs} if a == name != b} for name in names}
    end = st.sampled_from(["published"] * 6 + ["landed", "needs_person", "failed"])
    return World(
        tasks=[planned(name, needs[name], tuple(sorted(near[name]))) for name in names],
        slots=draw(st.integers(1, 4)),
        ends={name: draw(end) for name in names},
        pick=draw(st.lists(st.integers(0, 8), min_size=len(names), max_size=len(names))),
    )


def play(world: World) -> tuple[list[str], dict[TaskId, TaskState]]:
    """Run the world to its end, checking every law at every step; the order of starts, and how tasks ended."""
    finished: dict[TaskId, TaskState] = {}
    running: list[TaskId] = []
    started: list[str] = []
    by_id = {task.id: task for task in world.tasks}
    for pick in world.pick:
        chosen = ready(world.tasks, finished, running, slots=world.slots)
        assert ids(chosen) == [name for name in by_id if name in ids(chosen)], "plan order"
        for task in chosen:
            assert task.id not in started, "nothing starts twice"
            assert all(finished.get(parent) in SETTLED for parent in task.depends_on), "parents first"
            assert not set(task.overlaps) & set(running), "no overlap"
            running.append(task.id)
            started.append(task.id)
        assert len(running) <= world.slots
        if not running:
            break
        ended = running.pop(pick % len(running))
        finished[ended] = world.ends[ended]
    return started, finished


@given(worlds())
def test_every_task_whose_ancestors_settle_is_started_and_no_other(world: World) -> None:
    started, finished = play(world)
    able: set[str] = set()
    for task in world.tasks:
        if all(parent in able and world.ends[parent] in SETTLED for parent in task.depends_on):
            able.add(task.id)
    assert set(started) == able == set(finished)


@given(worlds())
def test_the_same_world_is_played_the_same_way(world: World) -> None:
    assert play(world) == play(world)


@given(worlds())
def test_a_free_slot_is_left_empty_only_where_nothing_may_start(world: World) -> None:
    chosen = ready(world.tasks, {}, (), slots=world.slots)
    if len(chosen) < world.slots:
        taken = set(ids(chosen))
        left = [task for task in world.tasks if task.id not in taken and not task.depends_on]
        assert all(set(task.overlaps) & taken for task in left)


@given(worlds())
def test_asking_again_once_they_run_starts_no_more(world: World) -> None:
    chosen = ready(world.tasks, {}, (), slots=world.slots)
    assert ready(world.tasks, {}, ids(chosen), slots=world.slots) == []


def test_the_plans_order_decides_who_gets_the_slots() -> None:
    tasks = [planned("b"), planned("a"), planned("c")]
    assert ids(ready(tasks, {}, (), slots=2)) == ["b", "a"]


def test_one_that_overlaps_waits_and_one_behind_it_goes_ahead() -> None:
    tasks = [planned("a", overlaps=("b",)), planned("b", overlaps=("a",)), planned("c")]
    assert ids(ready(tasks, {}, (), slots=3)) == ["a", "c"]
    assert ids(ready(tasks, {TaskId("a"): "published"}, ["c"], slots=3)) == ["b"]


def test_parents_from_earlier_runs_count() -> None:
    child = planned("child", needs=("old",))
    assert ready([child], {}, (), slots=1) == []
    assert ids(ready([child], {TaskId("old"): "landed"}, (), slots=1)) == ["child"]


def test_no_slots_start_nothing() -> None:
    assert ready([planned("a")], {}, (), slots=0) == []
    assert ready([planned("a")], {}, ["x", "y"], slots=1) == []


def test_a_child_is_blocked_by_each_parent_that_did_not_settle() -> None:
    child = planned("child", needs=("good", "bad", "never"))
    ended: dict[TaskId, TaskState] = {TaskId("good"): "published", TaskId("bad"): "needs_person"}
    assert blocked_by(child, ended) == ["bad", "never"]
