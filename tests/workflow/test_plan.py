"""What a run takes up, what it leaves alone and why, and what it remembers of earlier runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from switchyard_git import CommitSha

from switchyard.config import CommandAgent, Config
from switchyard.errors import SwitchyardError, UsageError
from switchyard.ledger import Event, FactoryView, fold
from switchyard.packets import PlannedTask, RunId, TaskId
from switchyard.tasks import Budget, Task, content_hash
from switchyard.workflow.plan import Draft, Standing, draft_run
from switchyard.workflow.stores import Base

OLD, NEW = RunId("r1"), RunId("r2")
BASE = Base("main", CommitSha("c0"), "/origin.git")


def a_task(name: str, *needs: str, **fields: Any) -> Task:
    plain = {"title": name.upper(), "state": "ready", "depends_on": needs, "priority": 2}
    return Task(id=TaskId(name), **{**plain, **fields})


def draft(
    tasks: Sequence[Task],
    *selection: str,
    history: Sequence[Event] = (),
    config: Config | None = None,
    overlaps: Mapping[str, Collection[str]] | None = None,
) -> Draft:
    standing = Standing(
        tasks=tasks,
        view=view_of(history),
        config=config or Config(agent=CommandAgent(command=("true",))),
        base=BASE,
        timestamp=1_700_000_000,
        overlaps=lambda chosen: {TaskId(name): [TaskId(n) for n in near] for name, near in (overlaps or {}).items()},
    )
    return draft_run(standing, NEW, [TaskId(name) for name in selection])


def view_of(history: Sequence[Event]) -> FactoryView:
    return fold(history)


def event(event_type: str, task: str = "", *, at: int, **data: Any) -> Event:
    return Event(at, f"k{at}", OLD, task, "", event_type, f"2026-01-01T00:00:{at:02d}.000000Z", "", data, "", "")


def ran(*tasks: Task, state: str = "published", reason: str = "why", pushed: bool = False) -> list[Event]:
    """An earlier run in which every task ended in a state."""
    planned = [
        {
            "id": task.id,
            "title": task.title,
            "depends_on": list(task.depends_on),
            "parents": list(task.depends_on),
            "content_hash": content_hash(task),
            "branch": f"factory/{OLD}/{task.id}",
            "pushed": "",
            "accepted": "",
        }
        for task in tasks
    ]
    rows = [event("run_started", at=0, base_branch="main", base_commit="c0", tasks=planned)]
    for task in tasks:
        rows.append(event("attempt_extracted", task.id, at=1, commit=f"head {task.id}"))
        if pushed or state in ("published", "landed"):
            rows.append(
                event("branch_published", task.id, at=2, branch=f"factory/{OLD}/{task.id}", head=f"head {task.id}")
            )
        rows.append(event("task_finished", task.id, at=3, state=state, reason=reason))
    return [*rows, event("run_finished", at=4, tasks=[])]


def said(task: str, action: str, *, at: int = 9, **data: str) -> Event:
    return event("operator_action", task, at=at, action=action, **data)


def going(drafted: Draft) -> list[str]:
    return [task.id for task in drafted.plan.tasks]


def why(drafted: Draft) -> dict[str, str]:
    return {skipped.id: skipped.why for skipped in drafted.skipped}


def only(drafted: Draft) -> PlannedTask:
    (task,) = drafted.plan.tasks
    return task


def test_without_a_selection_every_ready_task_goes_in_topological_order_priority_first() -> None:
    tasks = [a_task("c"), a_task("late", priority=4), a_task("b", "late"), a_task("a", priority=1)]
    drafted = draft(tasks)
    assert going(drafted) == ["a", "c", "late", "b"]
    assert drafted.startable == ("a", "c", "late", "b")
    assert drafted.skipped == ()


def test_the_plan_says_from_where_the_run_starts_and_how_wide_it_is() -> None:
    plan = draft([a_task("a")]).plan
    assert (plan.run_id, plan.base_branch, plan.base_commit, plan.target) == (NEW, "main", "c0", "/origin.git")
    assert (plan.timestamp, plan.concurrency) == (1_700_000_000, Config().limits.concurrency)


def test_a_selection_brings_what_it_depends_on_and_nothing_else() -> None:
    tasks = [a_task("root"), a_task("mid", "root"), a_task("leaf", "mid"), a_task("above", "leaf"), a_task("other")]
    assert going(draft(tasks, "leaf")) == ["root", "mid", "leaf"]


@pytest.mark.parametrize("key", ["agent", "review_agent"])
def test_an_agent_that_is_not_there_is_refused_with_the_task_that_asks_for_it(key: str) -> None:
    with pytest.raises(UsageError, match=r"^task 'b': no agent 'nobody'$") as caught:
        draft([a_task("a"), a_task("b", **{key: "nobody"})])
    assert "[agent.nobody]" in caught.value.hint


def test_the_order_in_which_tasks_are_read_changes_nothing() -> None:
    tasks = [a_task("a"), a_task("b", "a"), a_task("c", "a", priority=1), a_task("d", "b", "c")]
    assert draft(tasks) == draft(tasks[::-1])


@pytest.mark.parametrize(("name", "meant"), [("payment", "payments"), ("zzz", "")])
def test_an_unknown_task_is_refused_with_what_was_probably_meant(name: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"no task '{name}'") as caught:
        draft([a_task("payments")], name)
    assert (f"did you mean '{meant}'" in str(caught.value)) == bool(meant)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("state", "verb"), [("draft", "task approve a"), ("held", "task release a"), ("cancelled", "task edit a")]
)
def test_a_selected_task_that_is_not_released_is_refused_with_the_command_that_helps(state: str, verb: str) -> None:
    with pytest.raises(UsageError, match=f"'a' is {state}") as caught:
        draft([a_task("a", state=state)], "a")
    assert verb in caught.value.hint


@pytest.mark.parametrize("state", ["draft", "held", "cancelled"])
def test_an_unselected_task_that_is_not_released_is_left_alone_and_its_child_cannot_start(state: str) -> None:
    drafted = draft([a_task("a", state=state), a_task("b", "a"), a_task("c")])
    assert why(drafted) == {"a": f"it is {state}"}
    assert going(drafted) == ["b", "c"]
    assert drafted.startable == ("c",)


@pytest.mark.parametrize("state", ["published", "approved", "landed"])
def test_a_task_that_is_done_is_left_alone_and_its_child_builds_on_it(state: str) -> None:
    parent = a_task("a")
    drafted = draft([parent, a_task("b", "a")], history=ran(parent, state=state, pushed=True))
    assert why(drafted) == {"a": f"it is {state}"}
    assert drafted.startable == ("b",)
    settled = drafted.plan.settled[TaskId("a")]
    assert (settled.head, settled.branch, settled.number) == ("head a", f"factory/{OLD}/a", None)
    assert only(drafted).parents == ("a",)


def test_a_settled_parent_is_known_by_its_pull_request() -> None:
    parent = a_task("a")
    pull = {"number": 7, "url": "u", "state": "open", "base": "main", "head": f"factory/{OLD}/a"}
    history = [*ran(parent), event("pull_request_opened", "a", at=5, **pull)]
    assert draft([parent, a_task("b", "a")], history=history).plan.settled[TaskId("a")].number == 7


@pytest.mark.parametrize("state", ["failed", "blocked", "waiting"])
def test_a_task_that_came_to_nothing_is_taken_up_again(state: str) -> None:
    task = a_task("a")
    assert going(draft([task], history=ran(task, state=state))) == ["a"]


def test_a_task_that_needs_a_person_waits_and_names_the_reason() -> None:
    task = a_task("a")
    drafted = draft([task, a_task("b", "a")], history=ran(task, state="needs_person", reason="tests\nwere edited"))
    assert "switchyard escalation list" in why(drafted)["a"]
    assert "tests" in why(drafted)["a"] and "edited" not in why(drafted)["a"]
    assert drafted.startable == ()


def test_an_answer_given_by_a_clock_that_was_set_back_is_an_answer() -> None:
    task = a_task("a")
    late = replace(said("a", "retry", note="try again"), timestamp="2025-12-31T23:00:00.000000Z")
    planned = draft([task], history=[*ran(task, state="needs_person"), late]).plan.tasks
    assert [(one.id, one.note) for one in planned] == [("a", "try again")]


def test_naming_a_task_that_needs_a_person_is_no_answer() -> None:
    task = a_task("a")
    assert draft([task], "a", history=ran(task, state="needs_person")).startable == ()


def test_an_accepted_commit_is_published_as_it_is() -> None:
    task = a_task("a")
    planned = only(draft([task], history=[*ran(task, state="needs_person"), said("a", "accept")]))
    assert planned.accepted == "head a"


def test_a_retry_starts_anew_with_the_persons_note() -> None:
    task = a_task("a")
    history = [*ran(task, state="needs_person"), said("a", "retry", note="use the cache")]
    planned = only(draft([task], history=history))
    assert (planned.accepted, planned.note) == (None, "use the cache")


def test_a_rejected_task_rests_until_somebody_says_retry() -> None:
    task = a_task("a")
    history = [*ran(task, state="needs_person"), said("a", "reject")]
    assert why(draft([task], history=history)) == {
        "a": "a person rejected it; `switchyard escalation retry a` takes it up again"
    }
    assert going(draft([task], history=[*history, said("a", "retry", at=10)])) == ["a"]


def test_an_answer_to_an_earlier_question_does_not_answer_the_next() -> None:
    task = a_task("a")
    drafted = draft([task], history=[said("a", "accept", at=1, note="old"), *ran(task, state="needs_person")])
    assert drafted.startable == ()
    again = only(draft([task], history=[said("a", "accept", at=1, note="old"), *ran(task, state="failed")]))
    assert (again.accepted, again.note) == (None, "")


def test_a_cancelled_execution_goes_again_only_when_named_or_asked_for() -> None:
    task = a_task("a")
    history = ran(task, state="cancelled")
    assert "name it" in why(draft([task], history=history))["a"]
    assert going(draft([task], "a", history=history)) == ["a"]
    assert going(draft([task], history=[*history, said("a", "retry")])) == ["a"]


@pytest.mark.parametrize("change", [{"title": "Other"}, {"body": "More"}, {"checks": {"x": "true"}}])
@pytest.mark.parametrize("state", ["failed", "needs_person"])
def test_an_edit_of_what_was_approved_asks_again(change: dict[str, Any], state: str) -> None:
    task, edited = a_task("a"), a_task("a", **change)
    history = [*ran(task, state=state), said("a", "retry")]
    drafted = draft([edited], "a", history=history)
    assert drafted.startable == ()
    assert "switchyard task approve a" in why(drafted)["a"]


def test_an_edit_goes_on_once_it_is_approved_as_it_is_and_not_after_the_next_edit() -> None:
    task, edited, later = a_task("a"), a_task("a", body="More"), a_task("a", body="Even more")
    history = [*ran(task, state="needs_person"), said("a", "approve", content_hash=content_hash(edited))]
    assert going(draft([edited], history=history)) == ["a"]
    assert draft([later], history=history).startable == ()


def test_a_word_after_the_approval_does_not_take_it_back() -> None:
    task, edited = a_task("a"), a_task("a", body="More")
    approved = said("a", "approve", content_hash=content_hash(edited))
    history = [*ran(task, state="needs_person"), approved, said("a", "retry", at=10, note="mind the edges")]
    assert only(draft([edited], history=history)).note == "mind the edges"


@pytest.mark.parametrize("change", [{"priority": 1}, {"labels": ("x",)}, {"targets": ("a.py",)}, {"agent": ""}])
def test_what_an_approval_is_not_about_may_change_freely(change: dict[str, Any]) -> None:
    task = a_task("a")
    assert going(draft([a_task("a", **change)], history=ran(task, state="failed"))) == ["a"]


def test_an_edit_of_a_published_task_is_left_alone() -> None:
    task = a_task("a")
    assert why(draft([a_task("a", body="More")], history=ran(task))) == {"a": "it is published"}


def test_a_task_keeps_its_first_runs_branch_and_what_was_pushed_there() -> None:
    task = a_task("a")
    planned = only(draft([task], history=ran(task, state="failed", pushed=True)))
    assert (planned.branch, planned.pushed) == (f"factory/{OLD}/a", "head a")
    assert only(draft([task], history=ran(task, state="failed"))).pushed == ""


def test_a_cancelled_task_begins_with_a_branch_of_its_new_run() -> None:
    task = a_task("a")
    planned = only(draft([task], "a", history=ran(task, state="cancelled", pushed=True)))
    assert (planned.branch, planned.pushed) == (f"factory/{NEW}/a", "")


def test_a_dependency_that_another_one_holds_is_no_parent() -> None:
    tasks = [a_task("a"), a_task("b", "a"), a_task("c", "b", "a"), a_task("d", "a", "b", "c")]
    parents = {task.id: task.parents for task in draft(tasks).plan.tasks}
    assert parents == {"a": (), "b": ("a",), "c": ("b",), "d": ("c",)}
    assert draft(tasks).plan.tasks[3].depends_on == ("a", "b", "c")


def test_a_dependency_is_held_by_another_though_that_one_is_published_already() -> None:
    tasks = [a_task("a"), a_task("b", "a"), a_task("c", "a", "b")]
    drafted = draft(tasks, history=ran(*tasks[:2]))
    assert only(drafted).parents == ("b",)
    assert set(drafted.plan.settled) == {"a", "b"}


def test_overlaps_are_told_to_both() -> None:
    planned = draft([a_task("a"), a_task("b")], overlaps={"a": ["b"], "b": ["a"]}).plan.tasks
    assert [task.overlaps for task in planned] == [("b",), ("a",)]


def test_a_task_without_its_own_budget_has_the_repositorys() -> None:
    config = Config(agent=CommandAgent(command=("true",)))
    task = only(draft([a_task("a")], config=config))
    assert (task.repairs, task.timeout_minutes) == (config.limits.repairs, config.sandbox.timeout_minutes)
    own = only(draft([a_task("a", budget=Budget(minutes=0.5, repairs=0))], config=config))
    assert (own.repairs, own.timeout_minutes) == (0, 0.5)


def test_everything_that_people_wrote_is_in_the_plan() -> None:
    task = a_task(
        "a",
        targets=("x.py",),
        labels=("l",),
        context_files=("c.md",),
        test_requirements="t",
        checks={"n": "true"},
        allow=("tests",),
        body="Do.\n\n## Acceptance\n- [ ] it works\n",
    )
    planned = only(draft([task]))
    # The body goes on without its acceptance, which stands by itself.
    shared = set(PlannedTask.model_fields) & set(Task.__dataclass_fields__) - {"body"} | {"acceptance"}
    assert {name: getattr(planned, name) for name in shared} == {name: getattr(task, name) for name in shared}
    assert (planned.body, planned.acceptance) == ("Do.", ("it works",))


def test_an_agent_that_is_not_configured_is_refused_before_anything_runs() -> None:
    with pytest.raises(SwitchyardError, match="ghost"):
        draft([a_task("a", agent="ghost")])


def test_nothing_to_do_is_an_empty_plan() -> None:
    drafted = draft([])
    assert (going(drafted), drafted.startable) == ([], ())
