"""The view is a pure fold: the same rows give the same view, in one go or one by one, whatever else stands between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from switchyard.ledger import EVENT_TYPES, Event, FactoryView, fold

TASKS = ("a", "b")
RUNS = ("r1", "r2")


def event(event_type: str, task: str = "", run: str = "r1", *, at: int = 0, **data: Any) -> Event:
    return Event(at, f"k{at}", run, task, "", event_type, f"2026-01-01T00:00:{at:02d}.000000Z", "ref", data, "", "")


def started(run: str = "r1", tasks: Sequence[str] = TASKS, at: int = 0) -> Event:
    planned = [
        {
            "id": name,
            "title": name.upper(),
            "depends_on": list(tasks[:position]),
            "parents": list(tasks[:position][-1:]),
            "content_hash": f"hash {name}",
            "branch": f"factory/{run}/{name}",
            "pushed": "",
            "accepted": "",
        }
        for position, name in enumerate(tasks)
    ]
    return event("run_started", run=run, at=at, base_branch="main", base_commit="c0", tasks=planned)


CLAIMED = {"branch": "factory/r1/a", "base": "c0", "base_branch": "main", "join": ""}
PULL = {"number": 7, "url": "file:///7", "state": "open", "base": "main", "head": "factory/r1/a"}

rows_of_a_task = st.sampled_from(
    [
        ("task_claimed", CLAIMED),
        ("sandbox_created", {"attempt": 1, "box": "box1"}),
        ("assignment_dispatched", {"attempt": 1}),
        ("assignment_dispatched", {"attempt": 3}),
        ("attempt_extracted", {"attempt": 1, "commit": "c1"}),
        ("check_failed", {"attempt": 1, "name": "unit"}),
        ("escalated", {"reason": "why"}),
        ("branch_published", {"branch": "factory/r1/a", "head": "c2"}),
        ("pull_request_opened", PULL),
        ("task_finished", {"state": "published", "reason": ""}),
        ("task_finished", {"state": "needs_person", "reason": "why"}),
        ("operator_action", {"action": "retry", "note": "again"}),
        ("a_type_from_the_future", {"anything": [1]}),
    ]
)


@st.composite
def ledgers(draw: st.DrawFn) -> list[Event]:
    rows = [started(at=0)]
    for at in range(1, draw(st.integers(1, 14))):
        name, data = draw(rows_of_a_task)
        rows.append(event(name, draw(st.sampled_from([*TASKS, "stranger"])), at=at, **data))
        if draw(st.integers(0, 6)) == 0:
            rows.append(event("run_finished", at=at, tasks=[]))
        if draw(st.integers(0, 9)) == 0 and not any(row.run_id == "r2" for row in rows):
            rows.append(started("r2", at=at))
    return rows


@given(ledgers())
def test_the_same_rows_give_the_same_view(rows: list[Event]) -> None:
    assert fold(rows) == fold(iter(rows))


@given(ledgers(), st.data())
def test_what_a_prefix_says_does_not_depend_on_what_follows(rows: list[Event], data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(rows)))
    before = fold(rows[:end])
    fold(rows)
    assert fold(rows[:end]) == before


@given(ledgers(), st.data())
def test_types_from_the_future_change_no_state(rows: list[Event], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(rows)))
    stranger = event("invented_later", data.draw(st.sampled_from(TASKS)), at=59, state="failed", reason="no")
    assert states(fold([*rows[:position], stranger, *rows[position:]])) == states(fold(rows))


@given(ledgers())
def test_the_latest_execution_of_a_task_is_the_one_of_its_last_run(rows: list[Event]) -> None:
    view = fold(rows)
    last = "r2" if "r2" in view.runs else "r1"
    assert {task.run_id for task in view.latest.values()} == {last}
    assert all(view.runs[task.run_id].tasks[name] == task for name, task in view.latest.items())


def test_no_rows_are_an_empty_view() -> None:
    assert fold([]) == FactoryView(runs={}, latest={}, answers={})


def test_every_known_type_is_taken_without_complaint() -> None:
    rows = [started(), *[event(name, "nobody", at=1, action="x") for name in EVENT_TYPES if name != "run_started"]]
    assert set(fold(rows).latest) == set(TASKS)


def test_a_task_waits_until_it_is_claimed_and_runs_until_it_is_finished() -> None:
    rows = [started()]
    assert state(rows) == "waiting"
    rows.append(event("task_claimed", "a", at=1, **CLAIMED))
    assert state(rows) == "running"
    rows.append(event("check_failed", "a", at=2))
    assert state(rows) == "running"
    rows.append(event("task_finished", "a", at=3, state="published", reason=""))
    assert state(rows) == "published"
    assert state(rows, "b") == "waiting"


def test_attempts_count_what_was_dispatched_and_never_fall() -> None:
    rows = [started(), *[event("assignment_dispatched", "a", at=at, attempt=n) for at, n in [(1, 1), (2, 2), (3, 1)]]]
    assert fold(rows).latest["a"].attempts == 2


def test_a_sandbox_is_shown_while_it_lives() -> None:
    rows = [started(), event("sandbox_created", "a", at=1, attempt=1, box="box1")]
    assert fold(rows).latest["a"].sandbox == "box1"
    assert fold([*rows, event("attempt_extracted", "a", at=2, commit="c1")]).latest["a"].sandbox == ""
    ended = event("task_finished", "a", at=2, state="failed", reason="lost")
    assert fold([*rows, ended]).latest["a"].sandbox == ""


def test_a_person_is_needed_only_where_the_task_ended_so() -> None:
    rows = [started(), event("escalated", "a", at=1, reason="why")]
    needed = fold([*rows, event("task_finished", "a", at=2, state="needs_person", reason="why")]).latest["a"]
    assert needed.needs_person is not None
    assert (needed.needs_person.reason, needed.needs_person.since) == ("why", rows[1].timestamp)
    assert fold([*rows, event("task_finished", "a", at=2, state="failed", reason="")]).latest["a"].needs_person is None


def test_what_was_pushed_is_the_published_head_and_not_an_attempt() -> None:
    rows = [started(), event("attempt_extracted", "a", at=1, commit="c1")]
    assert (fold(rows).latest["a"].head, fold(rows).latest["a"].pushed) == ("c1", "")
    rows.append(event("branch_published", "a", at=2, branch="factory/r1/a", head="c2"))
    assert (fold(rows).latest["a"].head, fold(rows).latest["a"].pushed) == ("c2", "c2")


def test_a_commit_that_a_person_accepted_is_the_head_before_anything_else_happens() -> None:
    row = started()
    row.data["tasks"][0]["accepted"] = "c9"
    assert (fold([row]).latest["a"].head, fold([row]).latest["b"].head) == ("c9", "")


def test_a_second_run_starts_its_tasks_anew_and_leaves_the_first_as_it_was() -> None:
    first = [started(), event("task_finished", "a", at=1, state="failed", reason="x"), event("run_finished", at=2)]
    view = fold([*first, started("r2", ("a",), at=3)])
    assert view.latest["a"].state == "waiting"
    assert view.latest["b"].run_id == "r1"
    assert view.runs["r1"] == fold(first).runs["r1"]
    assert [run.id for run in view.unfinished] == ["r2"]


def test_the_newest_answer_of_a_person_is_kept_with_its_time() -> None:
    rows = [started(), *[event("operator_action", "a", at=n, action=what) for n, what in [(1, "retry"), (2, "reject")]]]
    answer = fold(rows).answers["a"]
    assert (answer["action"], answer["timestamp"]) == ("reject", rows[2].timestamp)
    assert replace(fold(rows).latest["a"], doing="run_started") == fold(rows[:1]).latest["a"]


def states(view: FactoryView) -> dict[tuple[str, str], Any]:
    return {
        (run_id, name): replace(task, doing="", since="", row=0)
        for run_id, run in view.runs.items()
        for name, task in run.tasks.items()
    }


def state(rows: Sequence[Event], task: str = "a") -> str:
    return {name: one.state for name, one in fold(rows).latest.items()}[task]
