"""The prompt says everything an agent needs, and nothing that was not asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from jinja2 import UndefinedError

from switchyard.agents import Briefing, render_prompt
from switchyard.packets import PlannedTask


def prompt(**fields: Any) -> str:
    named = {name: fields.pop(name) for name in list(fields) if name in PlannedTask.model_fields.keys() - {"checks"}}
    plain = {"id": "rates-api", "title": "Serve rates", "body": "Do it <now> & well.", "branch": "factory/r/rates-api"}
    task = PlannedTask.model_validate({**plain, **named})
    return render_prompt(
        Briefing(**{"task": task, "attempt": 1, "context_file": "/in/context.md", "checks": {}, **fields})
    )


def test_a_bare_task_has_its_request_its_place_and_the_rules() -> None:
    text = prompt()
    assert text.startswith("# Serve rates\n\nTask `rates-api`, attempt 1 of 4.")
    assert "\nDo it <now> & well.\n" in text
    assert "`/in/context.md`" in text
    assert "read but not edited" in text
    assert "There is no network." in text
    assert "(none are configured)" in text


@pytest.mark.parametrize(
    "heading", ["Acceptance", "Tests", "Where", "From a person", "The attempt before this one failed"]
)
def test_what_a_task_does_not_have_leaves_no_heading(heading: str) -> None:
    assert f"## {heading}\n" not in prompt()


def test_acceptance_targets_and_tests_are_told() -> None:
    text = prompt(
        acceptance=["it serves", "it is fast"], targets=["services/rates/api.py"], test_requirements="Cover it."
    )
    assert "## Acceptance\n- it serves\n- it is fast\n" in text
    assert "- `services/rates/api.py`\n" in text
    assert "## Tests\n\nCover it.\n" in text


def test_checks_are_told_with_their_commands() -> None:
    assert "- unit: `make test`\n- lint: `make lint`\n" in prompt(checks={"unit": "make test", "lint": "make lint"})


def test_a_repair_hears_what_went_wrong_as_it_was_said() -> None:
    said = "Check `unit` failed.\n\n````\n{{ 7 * 7 }} {% raw %} ```\n````"
    text = prompt(attempt=2, feedback=["`x` was refused", said])
    assert "attempt 2 of 4" in text
    assert "`x` was refused\n" in text
    assert said in text


def test_a_persons_note_reaches_the_agent() -> None:
    assert "## From a person\n\nuse the cache\n" in prompt(note="use the cache")


def test_the_number_of_attempts_follows_the_tasks_repairs() -> None:
    assert "attempt 1 of 1." in prompt(repairs=0)


def test_what_is_allowed_is_told() -> None:
    assert "- Leave these paths alone: `a/**`, `b`.\n" in prompt(protected=["a/**", "b"])
    assert "Leave these" not in prompt(protected=["a/**"], allow=["protected"])
    assert "changed where the task demands it" in prompt(allow=["tests"])
    assert "except to: pypi.org, npmjs.org" in prompt(network=["pypi.org", "npmjs.org"])


def test_no_passage_runs_into_the_next() -> None:
    text = prompt(acceptance=["a"], targets=["b"], test_requirements="c", checks={"d": "e"}, note="f", feedback=["g"])
    lines = text.splitlines()
    headings = [number for number, line in enumerate(lines) if line.startswith("## ")]
    assert len(headings) == 8
    assert all(lines[number - 1] == "" for number in headings)
    assert "\n\n\n\n" not in text


def test_a_field_that_the_template_wants_and_nobody_gives_is_an_error() -> None:
    @dataclass(frozen=True)
    class Renamed:
        id: str = "t"
        repairs: int = 3

    with pytest.raises(UndefinedError):
        render_prompt(Briefing(task=Renamed(), attempt=1, context_file="c", checks={}))  # type: ignore[arg-type]
