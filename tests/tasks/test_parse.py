"""What a task file means, and how each fault in one is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from switchyard.errors import TaskFileError
from switchyard.packets import TaskId
from switchyard.tasks import Budget, Task, check_task_id, content_hash, parse_task, render_task

from .strategies import tasks

FULL = """\
---
id: rates-api
title: Serve exchange rates
state: ready            # a comment
depends_on: [rates-model]
targets:
  - services/rates/api.py
priority: 2
labels: [backend]
agent: ""
review_agent:
context_files: []
test_requirements: ""
checks: {lint: "ruff check services/rates"}
allow: [tests]
budget: {minutes: 30, repairs: 3}
---
What to do, in prose.

## Acceptance
- [ ] answers 200
- [x] an unknown currency is answered
      with 404

## Notes
- not an item
"""
MINIMAL = "---\nid: x\ntitle: X\n---\n"


def parse(text: str, name: str = "x.md") -> Task:
    return parse_task(text, Path(name))


def fault(text: str, name: str = "x.md") -> TaskFileError:
    with pytest.raises(TaskFileError) as caught:
        parse(text, name)
    return caught.value


def front(lines: str) -> str:
    return f"---\nid: x\ntitle: X\n{lines}\n---\n"


def test_every_key_of_a_full_file_is_read() -> None:
    task = parse(FULL, "rates-api.md")
    assert task.state == "ready"
    assert task.depends_on == ("rates-model",)
    assert task.targets == ("services/rates/api.py",)
    assert task.priority == 2
    assert task.agent == task.review_agent == ""
    assert task.checks == {"lint": "ruff check services/rates"}
    assert task.allow == ("tests",)
    assert task.budget == Budget(minutes=30, repairs=3)
    assert task.acceptance == ("answers 200", "an unknown currency is answered with 404")
    assert task.body.startswith("What to do")


def test_a_file_with_an_id_and_a_title_is_a_draft() -> None:
    assert parse(MINIMAL) == Task(id=TaskId("x"), title="X")


def test_lines_of_keys_and_of_items_are_kept_for_later_faults() -> None:
    source = parse(FULL, "rates-api.md").source
    assert source is not None
    assert (source.line("depends_on"), source.line("targets.0"), source.line("body")) == (5, 7, 2)


@pytest.mark.parametrize("text", ["\ufeff" + FULL, FULL.replace("\n", "\r\n"), "\ufeff" + FULL.replace("\n", "\r\n")])
def test_a_byte_order_mark_and_crlf_change_nothing(text: str) -> None:
    assert parse(text, "rates-api.md") == parse(FULL, "rates-api.md")


@pytest.mark.parametrize("written", ["2024", "yes", "1.50", "2024-01-01", "'quoted'", '"quoted"'])
def test_a_title_that_yaml_takes_for_something_else_stays_text(written: str) -> None:
    assert parse(MINIMAL.replace("title: X", f"title: {written}")).title == written.strip("'\"")


def test_assignee_agent_is_another_name_for_agent() -> None:
    assert parse(front("assignee_agent: fast")).agent == "fast"
    assert "set twice" in str(fault(front("agent: a\nassignee_agent: b")))


@pytest.mark.parametrize(
    ("text", "line", "key", "said"),
    [
        ("no front matter\n", 1, "", "does not begin with '---'"),
        ("", 1, "", "does not begin"),
        ("---\nid: x\ntitle: X\n", 1, "", "does not end"),
        ("---\n---\n", 1, "", "no keys"),
        ("---\n- a\n---\n", 1, "", "no keys"),
        ("---\nid: x\n---\n", 2, "title", "'title' is missing"),
        ("---\ntitle: X\n---\n", 2, "id", "'id' is missing"),
        ("---\nid: x\ntitle: ''\n---\n", 3, "title", "one line of text"),
        (front("depend_on: [a]"), 4, "depend_on", "did you mean 'depends_on'?"),
        (front("priority: 1\npriority: 2"), 5, "priority", "set twice"),
        (front("priority: 5"), 4, "priority", "from 1"),
        (front("priority: high"), 4, "priority", "whole number, not 'high'"),
        (front("priority: 0x2"), 4, "priority", "whole number"),
        (front("labels: backend"), 4, "labels", "must be a list"),
        (front("labels: [a, [b]]"), 4, "labels.1", "must be text"),
        (front("labels:\n- a\n-"), 6, "labels", "empty item"),
        (front("state: reedy"), 4, "state", "did you mean 'ready'?"),
        (front("allow: [test]"), 4, "allow", "did you mean 'tests'?"),
        (front("depends_on: [é]"), 4, "depends_on", "'é' is no task id"),
        (front("targets: [/etc/passwd]"), 4, "targets", "inside the repository"),
        (front("context_files: [../x]"), 4, "context_files", "inside the repository"),
        (front("checks: [a]"), 4, "checks", "must be a mapping"),
        (front("checks: {a: ''}"), 4, "checks", "a name and a command"),
        (front("checks: {a: b, a: c}"), 4, "checks", "set twice"),
        (front("budget: {minute: 3}"), 4, "minute", "did you mean 'minutes'?"),
        (front("budget: {minutes: 0}"), 4, "minutes", "more than 0"),
        (front("budget: {repairs: 99}"), 4, "repairs", "0 to 10"),
        (front("title: {a: 1}").replace("title: X\n", ""), 3, "title", "must be text"),
        (front("? [a]\n: b"), 4, "", "unknown key"),
        (front("a: [b"), 5, "", "not valid YAML"),
        (front("a: *nowhere"), 4, "", "not valid YAML"),
        (front("labels: [\x07]"), 4, "", "not valid YAML"),
        (front("labels: " + "[" * 3000), 2, "", "nested too deeply"),
        (MINIMAL.replace("id: x", "id: y"), 2, "id", "the file's name says 'x'"),
    ],
)
def test_a_fault_is_named_with_file_line_and_key(text: str, line: int, key: str, said: str) -> None:
    error = fault(text)
    assert said in str(error)
    assert (error.line, error.key) == (line, key)
    assert str(error).startswith(f"x.md:{line}: ")
    assert error.exit_code == 2


def test_all_faults_of_a_file_are_told_at_once_in_their_order() -> None:
    error = fault(front("priority: 9\nlabel: [a]\nstate: go"))
    assert [line.split(": ")[0] for line in str(error).splitlines()] == ["x.md:4", "x.md:5", "x.md:6"]


@pytest.mark.parametrize("good", ["a", "A", "T-01", "0", "rates-api", "a.b_c", "a" * 64, "joined"])
def test_an_id_that_can_be_a_branch_name_is_taken(good: str) -> None:
    assert check_task_id(good) == ""


@pytest.mark.parametrize(
    "bad", ["", "JOIN-a", "-a", ".a", "a b", "a/b", "a..b", "a.lock", "a.", "join-a", "a" * 65, "é", "a\n", "a~b"]
)
def test_an_id_that_cannot_be_a_branch_name_is_refused(bad: str) -> None:
    assert check_task_id(bad)


@pytest.mark.parametrize(
    ("body", "items"),
    [
        ("", ()),
        ("## Acceptance\n", ()),
        ("## Acceptance\n- [ ] a\n* b\n1. c\n", ("a", "b", "c")),
        ("## Acceptance criteria:\n\nIt works,\nalways.\n\nAnd fast.\n", ("It works, always.", "And fast.")),
        ("## Acceptance\n- a\n  more\n\n  and more\n- b\n", ("a more and more", "b")),
        ("## Acceptance\n### Part\n- a\n# Next\n- b\n", ("a",)),
        ("```\n## Acceptance\n- a\n```\n", ()),
        ("## Acceptance\n- a\n```\n# no heading\n```\n- b\n", ("a ``` # no heading ```", "b")),
        ("# acceptance\n- a\n", ("a",)),
    ],
)
def test_acceptance_is_the_list_under_its_heading(body: str, items: tuple[str, ...]) -> None:
    assert parse(MINIMAL + body).acceptance == items


def test_the_prose_is_the_body_without_its_acceptance() -> None:
    task = parse(MINIMAL + "Why.\n\n## Acceptance\n- [ ] a\n\n### Part\n- b\n\n## Notes\n```\n## Acceptance\n```\n")
    assert task.prose == "Why.\n\n## Notes\n```\n## Acceptance\n```"


def test_an_approval_is_bound_to_title_body_acceptance_and_checks_alone() -> None:
    task = parse(FULL, "rates-api.md")
    asked_again = [
        replace(task, title="Other"),
        replace(task, body=task.body + "More.\n"),
        replace(task, body=task.body.replace("200", "201")),
        replace(task, checks={"lint": "true"}),
    ]
    not_asked = [
        replace(task, priority=1),
        replace(task, state="held"),
        replace(task, labels=()),
        replace(task, body=task.body + "\n"),
    ]
    hashes = {content_hash(other) for other in asked_again}
    assert len(hashes) == 4
    assert content_hash(task) not in hashes
    assert {content_hash(other) for other in not_asked} == {content_hash(task)}


@settings(deadline=None)
@given(tasks)
@example(Task(id=TaskId("a"), title="a no-break space at the end\xa0"))
@example(Task(id=TaskId("a"), title="A", test_requirements="one\ntwo\x85three\u2028"))
def test_parsing_what_was_rendered_gives_the_same_task(task: Task) -> None:
    assert parse_task(render_task(task), Path(f"{task.id}.md")) == task


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_front_matter_is_a_task_or_a_task_file_error(text: str) -> None:
    for candidate in (text, f"---\n{text}\n---\n", front(text)):
        try:
            parse(candidate)
        except TaskFileError as error:
            assert error.line is not None
