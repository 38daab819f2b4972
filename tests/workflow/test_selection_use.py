"""What the ledger says of a selection after a task: read, changed, missed; and nothing where nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from switchyard.packets import ArtifactRef, AttemptResult, ContextUse
from switchyard.workflow.selection_use import SHOWN, describe_use, use_of


def an_attempt(
    changed: Sequence[str] = (), created: Sequence[str] = (), context: ContextUse | None = None
) -> AttemptResult:
    nothing = ArtifactRef("sha256:0")
    return AttemptResult.model_validate(
        {"attempt": 1, "box": "b", "commit": "c", "exit_code": 0, "signal": None, "limit": None, "duration_s": 1.0}
        | {"stdout": nothing, "stderr": nothing, "diff": nothing, "changed": [*changed, *created]}
        | {"created": created, "context": context}
    )


def told(*attempts: AttemptResult) -> dict[str, Any]:
    use = describe_use(attempts)
    assert use is not None
    return use


def test_what_was_changed_without_being_selected_is_told_apart() -> None:
    use = told(an_attempt(["a", "x"], ["new"], use_of(["a", "b", "c"], ["b"], "")))
    assert use["changed"] == ["a", "x"]
    assert (use["created"], use["unselected"], use["read"]) == (["new"], ["x"], ["b"])
    assert use["selected"] == 3
    assert use["counts"] == {"changed": 2, "changed_selected": 1, "used": 2}


def test_a_file_that_was_read_and_changed_counts_once() -> None:
    assert told(an_attempt(["a"], (), use_of(["a", "b"], ["a"], "")))["counts"]["used"] == 1


def test_reads_of_all_attempts_count_and_the_last_ones_changes() -> None:
    first = an_attempt(["a", "b"], (), use_of(["a", "b"], ["a"], ""))
    last = an_attempt(["a"], (), use_of(["a", "b"], ["b"], ""))
    assert (told(first, last)["read"], told(first, last)["changed"]) == (["a", "b"], ["a"])


def test_one_attempt_that_could_not_be_watched_leaves_the_reads_unknown() -> None:
    seen = an_attempt(["a"], (), use_of(["a", "b"], ["a"], ""))
    blind = an_attempt(["a"], (), use_of(["a", "b"], None, "no inotify"))
    for use in (told(seen, blind), told(blind, seen)):
        assert (use["read"], use["unseen"], use["counts"]["used"]) == (None, "no inotify", None)
        assert use["counts"]["changed_selected"] == 1


def test_a_task_without_attempts_or_selections_has_nothing_to_tell() -> None:
    assert describe_use([]) is None
    assert describe_use([an_attempt(["a"])]) is None


def test_long_lists_are_cut_and_their_numbers_are_not() -> None:
    many = [f"f{number:04}" for number in range(SHOWN + 50)]
    use = told(an_attempt(many, (), use_of(many[:10], many[:3], "")))
    assert len(use["changed"]) == len(use["unselected"]) == SHOWN
    assert use["counts"] == {"changed": SHOWN + 50, "changed_selected": 10, "used": 10}


def test_names_that_are_no_text_are_compared_as_they_are_written_down() -> None:
    use = told(an_attempt(["\\xff.py"], (), use_of(["\udcff.py"], ["\udcff.py"], "")))
    assert (use["read"], use["unselected"]) == (["\\xff.py"], [])
