"""The stack that people see: as JSON for scripts, as a drawing for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from switchyard_git import RefName, RefUpdate
from switchyard_merge import (
    Keeper,
    Marker,
    ParentLine,
    PullRequestText,
    StackedPull,
    branch_name,
    draw_stack,
    join_branch_name,
    render_body,
    stack_document,
    stack_standing,
    stack_status,
)
from switchyard_merge.forge import LocalForge, NewPullRequest
from yard import WHO, Yard


@pytest.fixture
def forge(yard: Yard, tmp_path: Path) -> LocalForge:
    return LocalForge(tmp_path / "state" / "forge", yard.factory, yard.origin.git_dir)


def publish(yard: Yard, forge: LocalForge, tasks: Mapping[str, Sequence[str]]) -> None:
    """Open a pull request a task, each on its parent, on a join of several, or on main."""
    numbers: dict[str, int] = {}
    for task, parents in tasks.items():
        head = RefName(f"refs/heads/{branch_name('r', task)}")
        base = branch_name("r", parents[0]) if len(parents) == 1 else "main"
        moves = [RefUpdate(head, yard.commit(yard.base, {task: task}), None)]
        if len(parents) > 1:
            base = join_branch_name("r", task)
            moves.append(RefUpdate(RefName(f"refs/heads/{base}"), yard.commit(yard.base, {"join": task}), None))
        yard.factory.push(yard.origin.git_dir, moves)
        body = render_body(
            PullRequestText(
                Marker(task, "r", "0"), task, "", parents=[ParentLine(parent, numbers[parent]) for parent in parents]
            )
        )
        new = NewPullRequest(title=f"Do {task}", body=body, head=branch_name("r", task), base=base)
        numbers[task] = forge.open(new).number


def test_the_document_has_what_scripts_rely_on(yard: Yard, forge: LocalForge) -> None:
    publish(yard, forge, {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
    keeper = Keeper(yard.factory, forge, yard.origin.git_dir, WHO)
    document = stack_document(stack_standing(keeper))
    first = ("number", "task", "head", "base", "state", "depends_on", "join")
    pulls = [{key: pull[key] for key in first} for pull in document["pull_requests"]]
    assert {**document, "pull_requests": pulls} == {
        "schema": "switchyard.stack/1",
        "pull_requests": [
            {"number": 1, "task": "a", "head": "factory/r/a", "base": "main", "state": "open", "depends_on": [],
             "join": None},
            {"number": 2, "task": "b", "head": "factory/r/b", "base": "factory/r/a", "state": "open",
             "depends_on": ["a"], "join": None},
            {"number": 3, "task": "c", "head": "factory/r/c", "base": "factory/r/a", "state": "open",
             "depends_on": ["a"], "join": None},
            {"number": 4, "task": "d", "head": "factory/r/d", "base": "factory/r/join-d", "state": "open",
             "depends_on": ["b", "c"], "join": "factory/r/join-d"},
        ],
    }  # fmt: skip


def test_a_diamond_is_drawn_with_both_parents(yard: Yard, forge: LocalForge) -> None:
    publish(yard, forge, {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"], "alone": []})
    forge.close(6)
    assert draw_stack(stack_status(forge)) == (
        "main\n├─ #1 a\n│  ├─ #2 b\n│  └─ #3 c\n│     └─ #4 d ⇠ also #2 b\n│        └─ #5 e\n└─ #6 alone [closed]\n"
    )


def test_a_fan_of_twenty_shares_one_base(yard: Yard, forge: LocalForge) -> None:
    publish(yard, forge, {"root": [], **{f"leaf-{number:02}": ["root"] for number in range(20)}})
    stack = stack_status(forge)
    assert {pull.base for pull in stack[1:]} == {"factory/r/root"}
    assert len(draw_stack(stack).splitlines()) == 22


def test_a_body_that_a_person_emptied_is_read_from_its_branches(yard: Yard, forge: LocalForge) -> None:
    publish(yard, forge, {"a": [], "b": ["a"]})
    forge.edit(2, body="emptied")
    found = stack_status(forge)[1]
    assert (found.task, found.depends_on) == ("b", ("a",))


def test_other_peoples_pull_requests_are_not_in_the_stack(yard: Yard, forge: LocalForge) -> None:
    publish(yard, forge, {"a": []})
    mine = RefName("refs/heads/mine")
    yard.factory.push(yard.origin.git_dir, [RefUpdate(mine, yard.commit(yard.base, {"x": "x"}), None)])
    forge.open(NewPullRequest(title="Mine", body="", head="mine", base="main"))
    assert [pull.task for pull in stack_status(forge)] == ["a"]


def test_nothing_is_drawn_for_no_pull_requests() -> None:
    assert draw_stack([]) == ""


def test_a_circle_that_people_wrote_into_bodies_is_still_drawn() -> None:
    one = StackedPull(1, "a", "factory/r/a", "factory/r/b", "open", ("b",), None, parents=(2,))
    two = StackedPull(2, "b", "factory/r/b", "factory/r/a", "open", ("a",), None, parents=(1,))
    drawn = draw_stack([one, two])
    assert "#1 a" in drawn
    assert "#2 b" in drawn


def test_a_chain_of_two_thousand_is_drawn() -> None:
    pulls = [
        StackedPull(
            n, f"t{n}", f"factory/r/t{n}", f"factory/r/t{n - 1}", "open", (), None, parents=(n - 1,) if n > 1 else ()
        )
        for n in range(1, 2001)
    ]
    assert draw_stack(pulls).count("\n") == 2001
