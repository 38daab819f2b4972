"""Changing one key of a task file leaves every other byte as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from switchyard.errors import TaskFileError
from switchyard.tasks import Budget, Task, parse_task, render_task
from switchyard.tasks.edit import edit_text

from .strategies import tasks

FILE = Path("x.md")
TEXT = """\
---
# The first comment.
id: x   # its id
title:   'X'
state: draft            # draft | ready
agent:
depends_on:   # what comes before
- a
  # in between
- b   # the last

# about labels
labels: [one,
         two]  # after
test_requirements: |
  Some
  prose.

priority: 3
checks:
    lint: ruff check
    types: mypy
# The end.
---

Body, with trailing blanks.   
---
"""  # noqa: W291


def edited(**changes: Any) -> str:
    return edit_text(TEXT, FILE, changes)


@pytest.mark.parametrize(
    ("changes", "before", "after"),
    [
        ({"state": "ready"}, "state: draft  ", "state: ready  "),
        ({"title": "A: b"}, "title:   'X'", "title:   'A: b'"),
        ({"agent": "fast"}, "agent:\n", "agent: fast\n"),
        ({"priority": 1}, "priority: 3", "priority: 1"),
        ({"labels": ("z",)}, "[one,\n         two]  # after", "[z]  # after"),
        (
            {"depends_on": ("c",)},
            "depends_on:   # what comes before\n- a\n  # in between\n- b   #",
            "depends_on: [c]   #",
        ),
        (
            {"test_requirements": "None."},
            "test_requirements: |\n  Some\n  prose.\n\np",
            "test_requirements: None.\n\np",
        ),
        ({"checks": {"t": "make"}}, "checks:\n    lint: ruff check\n    types: mypy\n", "checks: {t: make}\n"),
        ({"budget": Budget(repairs=1)}, "# The end.\n", "# The end.\nbudget: {repairs: 1}\n"),
        ({"body": "New.\n"}, "\nBody, with trailing blanks.   \n---\n", "New.\n"),
        ({"state": "held", "priority": 4}, "state: draft", "state: held"),
    ],
)
def test_only_the_value_that_was_asked_for_changes(changes: dict[str, Any], before: str, after: str) -> None:
    expected = TEXT.replace(before, after)
    if changes.get("priority") == 4:
        expected = expected.replace("priority: 3", "priority: 4")
    assert edited(**changes) == expected


def test_crlf_and_a_byte_order_mark_stay() -> None:
    text = "\ufeff" + TEXT.replace("\n", "\r\n")
    expected = text.replace("state: draft", "state: ready").replace(
        "# The end.\r\n", "# The end.\r\nallow: [tests]\r\n"
    )
    assert edit_text(text, FILE, {"state": "ready", "allow": ("tests",)}) == expected


def test_the_other_name_of_agent_is_edited_where_it_stands() -> None:
    text = "---\nid: x\ntitle: X\nassignee_agent: a\n---\n"
    assert edit_text(text, FILE, {"agent": "b"}) == text.replace(": a", ": b")


@pytest.mark.parametrize(
    "text",
    [
        "---\n{id: x, title: X}\n---\n",
        "---\nid: x\ntitle: &t X\nlabels: [*t]\n---\n",
        "---\nid: x\ntitle: X\n...\n---\n",
    ],
)
def test_a_layout_that_cannot_be_edited_in_place_is_refused_and_not_mangled(text: str) -> None:
    try:
        result = edit_text(text, FILE, {"title": "Y", "state": "ready"})
    except TaskFileError as error:
        assert error.hint or error.problem
    else:
        assert parse_task(result, FILE) == replace(parse_task(text, FILE), title="Y", state="ready")


def test_an_edit_to_an_invalid_value_is_refused() -> None:
    with pytest.raises(TaskFileError, match="not be valid"):
        edited(title="two\nlines")


@settings(deadline=None)
@given(tasks, tasks, st.sampled_from(["title", "state", "depends_on", "targets", "labels", "checks", "budget", "body"]))
def test_editing_any_key_gives_the_task_with_that_key_changed(task: Task, other: Task, key: str) -> None:
    file = Path(f"{task.id}.md")
    text = render_task(task).replace("---\n", "---\n# kept\n", 1)
    assume(not task.body.startswith("\ufeff"))
    result = edit_text(text, file, {key: getattr(other, key)})
    assert parse_task(result, file) == replace(task, **{key: getattr(other, key)})
    assert "# kept\n" in result
