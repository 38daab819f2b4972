"""Precision and recall are shares of what the ledger counted, and never claim more than a sandbox could see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from switchyard.ledger import Event
from switchyard.reflection import score_run
from switchyard.reflection.selection import CHANGED, READ, overall


def use(selected: int, used: int | None, changed: int, found: int, **more: Any) -> dict[str, Any]:
    counts = {"changed": changed, "changed_selected": found, "used": used}
    return {
        "selected": selected,
        "counts": counts,
        "unselected": [],
        "unseen": "" if used is not None else "why",
        **more,
    }


def ended(task: str, context: Mapping[str, Any] | None, event_type: str = "task_finished") -> Event:
    data = {"state": "published", "reason": "", "context": context}
    return Event(1, task, "r1", task, "", event_type, "", "", data, "", "")


def test_precision_counts_what_was_read_or_changed_and_recall_what_was_changed() -> None:
    (task,) = score_run([ended("t", use(10, 4, 5, 3, unselected=["x", "y"]))])
    assert (task.score.precision, task.score.recall, task.score.basis) == (0.4, 0.6, READ)
    assert task.unselected == ("x", "y")


def test_where_reading_is_unknown_only_changes_count_and_the_score_says_so() -> None:
    (task,) = score_run([ended("t", use(10, None, 5, 3))])
    assert (task.score.precision, task.score.basis, task.unseen) == (0.3, CHANGED, "why")


def test_a_share_of_nothing_is_no_share() -> None:
    (task,) = score_run([ended("t", use(0, 0, 0, 0))])
    assert (task.score.precision, task.score.recall) == (None, None)


def test_tasks_together_count_every_file_once_a_task() -> None:
    together = overall(score_run([ended("a", use(10, 5, 1, 1)), ended("b", use(30, 5, 3, 0))]))
    assert (together.precision, together.recall, together.basis) == (0.25, 0.25, READ)


def test_one_task_of_unknown_reads_makes_the_sum_one_of_changes() -> None:
    together = overall(score_run([ended("a", use(10, 9, 2, 2)), ended("b", use(10, None, 2, 2))]))
    assert (together.precision, together.basis) == (0.2, CHANGED)


def test_tasks_without_a_selection_and_other_rows_say_nothing() -> None:
    rows = [ended("a", None), ended("b", use(1, 1, 1, 1), "attempt_extracted")]
    older = Event(1, "c", "r1", "c", "", "task_finished", "", "", {"state": "failed", "reason": "x"}, "", "")
    assert score_run([*rows, older]) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.booleans()), max_size=6))
def test_shares_lie_between_nothing_and_all(drawn: list[tuple[int, int, int, bool]]) -> None:
    rows = []
    for number, (selected, used, changed, is_seen) in enumerate(drawn):
        found = min(used, selected, changed)
        rows.append(ended(f"t{number}", use(selected, min(used, selected) if is_seen else None, changed, found)))
    scores = [task.score for task in score_run(rows)]
    for score in [*scores, overall(score_run(rows))]:
        for share in (score.precision, score.recall):
            assert share is None or 0 <= share <= 1
