"""Any stack, whatever happens to its parents, lands as its tasks would one after the other.

`SWITCHYARD_STACKS` says how many stacks are tried.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import Stage
from switchyard_git import CommitSha, RefName, RefUpdate, Repository
from switchyard_merge.forge import MergeMethod
from yard import Yard

SPACING = 6
METHODS: tuple[MergeMethod, ...] = ("squash", "rebase", "merge")


@dataclass(frozen=True)
class Event:
    """One thing that happens to a published stack."""

    kind: Literal["land", "amend", "rewrite", "main"]
    task: int
    method: MergeMethod
    keeps: bool
    """Whether the factory looks before the next one."""


EVENTS = st.builds(
    Event,
    st.sampled_from(["land", "land", "amend", "rewrite", "main"]),
    st.integers(0, 5),
    st.sampled_from(METHODS),
    st.booleans(),
)
STACKS = st.integers(2, 6).flatmap(
    lambda count: st.tuples(
        *(st.sets(st.integers(0, task - 1), max_size=3) if task else st.just(set[int]()) for task in range(count))
    )
)


@dataclass
class Oracle:
    """What the base must hold once all has landed: one line of a shared file, and a file, for each task."""

    count: int
    texts: dict[int, str]
    main: int = 0

    def shared(self, held: Sequence[int] | None = None) -> str:
        lines = [f"line {number}" for number in range(SPACING * (self.count + 1))]
        for task in range(self.count) if held is None else held:
            lines[SPACING * task + SPACING // 2] = self.texts[task]
        return "".join(f"{line}\n" for line in lines)


def first_edit(oracle: Oracle, parents: Sequence[set[int]], task: int) -> dict[str, str]:
    """The task's first commit, on the lines of all that it builds on."""
    held, waiting = {task}, [task]
    while waiting:
        for parent in parents[waiting.pop()] - held:
            held.add(parent)
            waiting.append(parent)
    return {"shared": oracle.shared(sorted(held)), f"f{task}": oracle.texts[task]}


def edited(stage: Stage, oracle: Oracle, task: int) -> dict[str, str]:
    """The task's own line in the shared file as its branch has it now, and its own file."""
    lines = stage.files(stage.tip(f"t{task}"))["shared"].splitlines()
    lines[SPACING * task + SPACING // 2] = oracle.texts[task]
    return {"shared": "".join(f"{line}\n" for line in lines), f"f{task}": oracle.texts[task]}


def published(place: Path, oracle: Oracle) -> Stage:
    """A stage whose base holds the shared file alone."""
    factory, origin = Repository.init_bare(place / "factory.git"), Repository.init_bare(place / "origin.git")
    base = Yard(factory, origin, CommitSha("")).commit(None, {"shared": oracle.shared([])})
    factory.push(origin.git_dir, [RefUpdate(RefName("refs/heads/main"), base, None)])
    return Stage.open(Yard(factory, origin, base), place)


def play(stage: Stage, oracle: Oracle, parents: Sequence[set[int]], events: Sequence[Event]) -> None:
    landed: set[int] = set()
    due = [*events, *(Event("land", task, METHODS[task % 3], True) for task in range(oracle.count))]
    for number, event in enumerate(due):
        task = event.task % oracle.count
        match event.kind:
            case "main":
                oracle.main += 1
                stage.move_main({"main": f"{oracle.main}\n"})
            case "land" if task not in landed and parents[task] <= landed:
                stage.keep()
                stage.land(f"t{task}", event.method, delete=bool(number % 2))
                landed.add(task)
            case "amend" if task not in landed:
                oracle.texts[task] = f"text {task} of {number}"
                stage.amend(f"t{task}", edited(stage, oracle, task))
            case "rewrite" if task not in landed:
                oracle.texts[task] = f"text {task} of {number}"
                stage.keep()
                floor = stage.record().branches[f"factory/r/t{task}"].aim.floor
                stage.amend(f"t{task}", edited(stage, oracle, task), onto=floor)
        if event.keeps:
            kept = stage.keep()
            assert not kept.blocked, kept.blocked
            for name in stage.bases():
                assert set(stage.diff(name)) == {"shared", f"f{name[1:]}"}


@pytest.mark.nightly
@given(parents=STACKS, events=st.lists(EVENTS, max_size=6))
@settings(
    max_examples=int(os.environ.get("SWITCHYARD_STACKS", "12")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_what_lands_is_what_the_tasks_would_have_made_one_after_the_other(
    tmp_path_factory: pytest.TempPathFactory, parents: tuple[set[int], ...], events: list[Event]
) -> None:
    oracle = Oracle(len(parents), {task: f"text {task}" for task in range(len(parents))})
    stage = published(tmp_path_factory.mktemp("stack"), oracle)
    tasks = {}
    for task, below in enumerate(parents):
        tasks[f"t{task}"] = ([f"t{parent}" for parent in sorted(below)], [first_edit(oracle, parents, task)])
    stage.publish(tasks)
    play(stage, oracle, parents, events)
    files = stage.files(stage.main())
    assert files.pop("main", None) == (f"{oracle.main}\n" if oracle.main else None)
    assert files == {"shared": oracle.shared()} | {f"f{task}": text for task, text in oracle.texts.items()}
