"""Any command as an agent: its template is checked once and filled in for each attempt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchyard.agents import AgentError, Assignment, CommandAgent, Places
from switchyard.agents.command import PLACEHOLDERS
from switchyard.packets import RunId, TaskId

PLACES = Places("/work", "/inbox/prompt.md", "/inbox/context.md")


def assignment(**fields: Any) -> Assignment:
    plain = {"run_id": RunId("r"), "task_id": TaskId("rates-api"), "attempt": 2, "model": "big", "places": PLACES}
    return Assignment(**{**plain, **fields})


def argv(*command: str, **fields: Any) -> tuple[str, ...]:
    return CommandAgent("a", command).prepare(assignment(**fields)).argv


def test_every_placeholder_is_filled_in() -> None:
    filled = argv("x", *[f"{{{name}}}" for name in PLACEHOLDERS])
    assert filled == ("x", "rates-api", "2", "/inbox/prompt.md", "/work", "/inbox/context.md", "big")


def test_a_placeholder_may_stand_anywhere_in_an_argument_and_more_than_once() -> None:
    assert argv("--out={task_id}/{attempt}-{attempt}.txt") == ("--out=rates-api/2-2.txt",)


@pytest.mark.parametrize(
    "text", ['{"a": 1}', "{}", "{ task_id }", "${HOME}", "{1..3}", "{a-b}", "{print $1}", "{", "}{"]
)
def test_braces_that_are_no_placeholder_stay_as_they_are(text: str) -> None:
    assert argv("sh", "-c", text) == ("sh", "-c", text)


def test_a_value_that_looks_like_a_placeholder_is_not_filled_in_again() -> None:
    assert argv("x", "{model}", model="{task_id}") == ("x", "{task_id}")


def test_a_placeholder_does_not_reach_across_arguments() -> None:
    assert argv("{task", "_id}") == ("{task", "_id}")


def test_the_values_stand_in_the_environment_too() -> None:
    env = CommandAgent("a", ["x"]).prepare(assignment()).env
    assert env == {
        "SWITCHYARD_TASK_ID": "rates-api",
        "SWITCHYARD_ATTEMPT": "2",
        "SWITCHYARD_PROMPT_FILE": "/inbox/prompt.md",
        "SWITCHYARD_WORKDIR": "/work",
        "SWITCHYARD_CONTEXT_FILE": "/inbox/context.md",
        "SWITCHYARD_MODEL": "big",
    }


def test_an_unknown_placeholder_is_refused_with_the_known_ones() -> None:
    with pytest.raises(AgentError, match=r"agent 'coder': unknown placeholder \{taskid\}") as caught:
        CommandAgent("coder", ["run", "{taskid}"])
    assert "{task_id}" in caught.value.hint


def test_an_empty_command_is_refused_with_an_example() -> None:
    with pytest.raises(AgentError, match="agent 'coder' has no command") as caught:
        CommandAgent("coder", [])
    assert "command = [" in caught.value.hint


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="{}")), min_size=1))
def test_a_command_without_braces_is_run_as_it_was_written(command: list[str]) -> None:
    assert argv(*command) == tuple(command)
