"""A pull request tells its task, its proof, what it stands on, and its whole stack."""

from __future__ import annotations

from typing import Any

from gates.samples import a_check
from switchyard_merge import Keeper, read_marker, stack_bodies
from switchyard_merge.body import read_parents

from switchyard.packets import CheckResult, Ground, PlannedTask, Proof, Settled, TaskId, TaskResult, TaskState
from switchyard.workflow.describing import describe_pull_request
from switchyard.workflow.factory import signature
from switchyard.workflow.publishing import open_pull_request, push_if_clean
from workflow.conftest import Yard, with_tasks


def publish(
    yard: Yard, *tasks: PlannedTask, **ends: TaskState
) -> tuple[dict[TaskId, TaskResult], dict[TaskId, Settled]]:
    """Publish tasks in order, each with an edit of its own; those with another end are left out."""
    results: dict[TaskId, TaskResult] = {}
    settled: dict[TaskId, Settled] = dict(yard.plan.settled)
    for task in tasks:
        state = ends.get(task.id, "published")
        if state != "published":
            results[task.id] = TaskResult(id=task.id, state=state, branch=task.branch)
            continue
        parent = settled[task.parents[-1]] if task.parents else None
        head = yard.commit(parent.head if parent else yard.base, {f"{task.id}.txt": "x\n"})
        commit = parent.head if parent else yard.base
        branches = (parent.branch,) if parent else ()
        ground = Ground(commit=commit, branch=parent.branch if parent else "main", grounds=(commit,), parents=branches)
        push_if_clean(yard.factory, yard.plan, task, ground, head)
        body = describe_pull_request(yard.plan, task, settled, head, Proof(checks=(a_check(),)))
        number = open_pull_request(yard.factory, yard.plan, task, ground, head, body).number
        checks: tuple[CheckResult, ...] = (a_check(),)
        results[task.id] = TaskResult(
            id=task.id, state=state, head=head, branch=task.branch, number=number, checks=checks
        )
        settled[task.id] = Settled(head=head, branch=task.branch, number=number)
    return results, settled


def body_of(yard: Yard, number: int | None) -> str:
    assert number is not None
    return yard.factory.forge.get(number).body


def draw_map(yard: Yard) -> None:
    factory = yard.factory
    Keeper(factory.quarantine, factory.forge, yard.plan.target, signature(0), stack_bodies).keep("factory/main")


def mapped(yard: Yard, *tasks: PlannedTask, **ends: TaskState) -> dict[TaskId, str]:
    """The bodies once the map is drawn."""
    results, _ = publish(yard, *tasks, **ends)
    draw_map(yard)
    return {name: body_of(yard, result.number) for name, result in results.items() if result.number}


def described(yard: Yard, task: PlannedTask, settled: dict[TaskId, Settled] | None = None, **fields: Any) -> str:
    return describe_pull_request(yard.plan, task, settled or {}, yard.base, Proof(checks=(a_check(**fields),)))


def test_the_body_holds_task_acceptance_and_evidence(yard: Yard) -> None:
    task = yard.task("t", title="Serve rates", body="Do it.", acceptance=["it serves"])
    text = described(yard, task, name="unit", duration_s=1.25, output="sha256:abc")
    assert "Serve rates" in text and "> Do it." in text and "- [ ] it serves" in text
    assert "unit" in text and "passed" in text and "sha256:abc" in text
    marker = read_marker(text)
    assert marker is not None and (marker.task, marker.run, marker.head) == ("t", "r1", yard.base)


def test_a_failed_check_is_told_as_failed(yard: Yard) -> None:
    assert "failed" in described(yard, yard.task("t"), passed=False)


def test_parents_are_named_by_their_pull_requests(yard: Yard) -> None:
    settled = {
        TaskId("p"): Settled(head=yard.base, branch="b", number=4),
        TaskId("q"): Settled(head=yard.base, branch="b", number=None),
    }
    assert read_parents(described(yard, yard.task("t", "p", "q"), settled)) == [4]


def test_text_from_a_task_forges_neither_marker_nor_parents(yard: Yard) -> None:
    forged = "<!-- switchyard:task=x run=x head=x -->\nDepends-On: #99\n<!-- switchyard:parents -->\nDepends-On: #98"
    text = described(yard, yard.task("t", title=forged, body=forged, acceptance=[forged]))
    marker = read_marker(text)
    assert marker is not None and marker.task == "t"
    assert read_parents(text) == []


def test_every_member_of_a_stack_is_on_the_map_of_every_other(yard: Yard) -> None:
    chain = [yard.task("one"), yard.task("two", "one"), yard.task("three", "two")]
    bodies = mapped(with_tasks(yard, *chain), *chain)
    for name, text in bodies.items():
        assert all(f"#{number}" in text for number in (1, 2, 3))
        assert next(line for line in text.splitlines() if "👉" in line).endswith(f"**Do {name}**")


def test_what_does_not_hang_together_is_not_on_the_map(yard: Yard) -> None:
    tasks = [yard.task("one"), yard.task("two", "one"), yard.task("alone")]
    bodies = mapped(with_tasks(yard, *tasks), *tasks)
    assert "stands alone" in bodies[TaskId("alone")]
    assert "Do alone" not in bodies[TaskId("one")]


def test_what_is_published_later_comes_onto_the_map_of_what_stood_there(yard: Yard) -> None:
    tasks = [yard.task("one"), yard.task("two", "one")]
    here = with_tasks(yard, *tasks)
    first, settled = publish(here, tasks[0])
    draw_map(here)
    assert "stands alone" in body_of(here, first[TaskId("one")].number)
    publish(with_tasks(here, settled=settled), tasks[1])
    draw_map(here)
    assert "#2 Do two" in body_of(here, first[TaskId("one")].number)


def test_parents_from_an_earlier_run_are_on_the_map(yard: Yard) -> None:
    old = yard.task("old")
    _, settled = publish(with_tasks(yard, old), old)
    child = yard.task("child", "old")
    bodies = mapped(with_tasks(yard, child, settled=settled), child)
    assert "#1" in bodies[TaskId("child")] and "#2" in bodies[TaskId("child")]
    assert read_parents(bodies[TaskId("child")]) == [1]


def test_drawing_the_map_again_writes_nothing_and_keeps_what_a_person_wrote(yard: Yard) -> None:
    tasks = [yard.task("one"), yard.task("two", "one")]
    here = with_tasks(yard, *tasks)
    publish(here, *tasks)
    draw_map(here)
    forge = here.factory.forge
    forge.edit(1, body=f"{body_of(here, 1)}\nA person was here.\n")
    files = sorted(here.factory.places.forge.glob("*.json"))
    before = [file.stat().st_mtime_ns for file in files]
    draw_map(here)
    assert [file.stat().st_mtime_ns for file in files] == before
    assert "A person was here." in body_of(here, 1)
