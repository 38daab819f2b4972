"""The corpus of canaries, and what their results say of a reviewer."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from gates.reviews import a_judge, a_row
from switchyard.gates.canaries import Canary, Standing, Trial, due_canaries, load_canaries, standing_of
from switchyard.gates.canaries.standing import tell_failure
from switchyard.ledger import Event
from switchyard.packets import REVIEWERS

NOW = datetime(2026, 3, 10, tzinfo=UTC)
DAYS = 7.0
BY_NAME = {canary.name: canary for canary in load_canaries()}


def test_each_reviewer_has_faults_to_find_and_something_sound_to_pass() -> None:
    faulty = Counter(canary.reviewers[0] for canary in load_canaries() if not canary.is_sound)
    assert sum(faulty.values()) >= 12
    assert min(faulty[reviewer] for reviewer in REVIEWERS) >= 4
    assert sum(canary.is_sound and canary.reviewers == REVIEWERS for canary in load_canaries()) >= 3
    assert len({canary.language for canary in load_canaries()}) >= 6


@pytest.mark.parametrize("canary", load_canaries(), ids=lambda canary: canary.name)
def test_nothing_that_a_reviewer_sees_gives_a_canary_away(canary: Canary) -> None:
    shown = [*canary.tree, *canary.tree.values(), *canary.task.model_dump().values(), *canary.checks.values()]
    text = " ".join(map(str, shown)).lower()
    assert not [word for word in ("canary", "switchyard", "injected", "on purpose", "vulnerab") if word in text]
    assert canary.name not in text
    assert canary.task.title
    assert canary.checks


@pytest.mark.parametrize(
    "change",
    [{"after": {"a": "x"}}, {"fault": "wrong", "reviewers": ["quality", "security"]}, {"after": {}}, {"extra": "x"}],
)
def test_a_canary_that_can_prove_nothing_is_refused(change: dict[str, Any]) -> None:
    plain = {"name": "n", "language": "python", "task": {"id": "t", "title": "T", "body": ""}, "before": {"a": "x"}}
    whole = {**plain, "after": {"a": "y"}}
    Canary.model_validate(whole)
    with pytest.raises(ValidationError):
        Canary.model_validate({**whole, **change})


def test_a_judge_is_wrong_that_passes_a_fault_or_does_not_pass_what_is_sound() -> None:
    faulty, sound = BY_NAME["quality-last-page"], BY_NAME["sound-csv-quotes"]
    assert [bool(tell_failure(faulty, verdict, "")) for verdict in ("pass", "fail", "unsure")] == [True, False, False]
    assert [bool(tell_failure(sound, verdict, "")) for verdict in ("pass", "fail", "unsure")] == [False, True, True]
    assert tell_failure(faulty, "none", "it hung") == "it gave no verdict on canary `quality-last-page`: `it hung`"


def result(canary: str, passed: bool, *, days_ago: float = 0, **fields: Any) -> Event:
    row = a_row(1, "canary_passed" if passed else "canary_failed", {})
    data = {"identity": "i-quality", "canary": canary, "told": "" if passed else f"it passed canary `{canary}`"}
    event = {**vars(row), "timestamp": (NOW - timedelta(days=days_ago)).isoformat(), "data": {**data, **fields}}
    return Event(**event)


def why(*events: Event, asks_fresh: bool = True) -> str:
    return standing_of(events, a_judge()).why_absent(NOW, DAYS, asks_fresh=asks_fresh)


def test_a_judge_counts_once_it_got_one_right_lately() -> None:
    assert why(result("a", True, days_ago=6)) == ""
    assert why(result("a", True, days_ago=8)) == "it has passed no canary in the last 7 days"
    assert why(result("a", True, days_ago=8), asks_fresh=False) == ""
    assert why() == "it has passed no canary in the last 7 days"


def test_a_judge_that_got_one_wrong_counts_again_once_it_gets_that_one_right() -> None:
    wrong = result("a", False, days_ago=30)
    assert why(wrong, result("b", True)) == "it passed canary `a`"
    assert why(wrong, result("b", False), asks_fresh=False) == "it passed canary `a`, and 1 more like it"
    assert why(wrong, result("b", True), result("a", True)) == ""


def test_another_prompt_or_model_is_another_judge() -> None:
    assert why(result("a", False, identity="i-other"), result("b", True)) == ""
    assert why(result("b", True, identity="i-other")) != ""


def test_canaries_of_the_asked_run_alone_are_counted() -> None:
    rows = [result("a", True), result("b", False)]
    assert standing_of(rows, a_judge(), run_id="r").in_run == 2
    assert standing_of(rows, a_judge(), run_id="s").in_run == standing_of(rows, a_judge()).in_run == 0


def due(*trials: Trial) -> list[str]:
    standing = Standing({trial.canary: trial for trial in trials})
    return [canary.name for canary in due_canaries(load_canaries(), a_judge(), standing, NOW, DAYS)]


def test_a_judge_is_tried_by_a_fault_and_by_something_sound_first() -> None:
    names = due()
    assert [BY_NAME[name].is_sound for name in names[:4]] == [False, True, False, True]
    mine = {name for name, canary in BY_NAME.items() if "quality" in canary.reviewers}
    assert set(names) == mine
    assert len(names) == len(mine)


def test_what_was_got_wrong_comes_first_and_what_was_got_right_lately_not_at_all() -> None:
    fresh = Trial("quality-discount-order", True, "", NOW - timedelta(days=1))
    old = Trial("quality-last-page", True, "", NOW - timedelta(days=9))
    wrong = Trial("quality-same-seat", False, "it passed", NOW - timedelta(days=1))
    names = due(fresh, old, wrong)
    assert names[0] == "quality-same-seat"
    assert "quality-discount-order" not in names
    assert [name for name in names if not BY_NAME[name].is_sound][-1] == "quality-last-page"
