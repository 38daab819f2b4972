"""The stack as it stands: every pull request of the factory's, what it waits for, and a drawing of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from switchyard_merge.body import read_marker, read_parents
from switchyard_merge.branches import is_join_branch
from switchyard_merge.dag import Plan
from switchyard_merge.errors import CyclicPlan
from switchyard_merge.forge.contract import Forge, PullRequest, PullState


@dataclass(frozen=True)
class StackedPull:
    """One pull request in its stack. `head` and `base` are branch names."""

    number: int
    task: str
    head: str
    base: str
    state: PullState
    depends_on: tuple[str, ...]
    """The ids of the tasks it is stacked on."""
    join: str | None
    """The branch that joins its parents, when it has several."""
    title: str = ""
    url: str = ""
    parents: tuple[int, ...] = ()
    """The numbers of the pull requests it is stacked on. Tasks of two stacks may have one id."""


def stack_status(forge: Forge, *, heads_prefix: str = "factory/") -> list[StackedPull]:
    """The factory's pull requests by number; read from the forge alone, so that it tells what people see."""
    return stacked(forge.list(heads_prefix=heads_prefix))


def stacked(pulls: Sequence[PullRequest]) -> list[StackedPull]:
    """Pull requests, listed by number, in their stacks."""
    tasks = {pull.number: _task_of(pull) for pull in pulls}
    newest = {pull.head: pull.number for pull in pulls}
    # One that is open again under a new number is still the parent of what names the old one.
    current = {pull.number: newest[pull.head] for pull in pulls}
    parents = {
        pull.number: [current[number] for number in _parents_of(pull, newest) if number in current] for pull in pulls
    }
    return [
        StackedPull(
            number=pull.number,
            task=tasks[pull.number],
            head=pull.head,
            base=pull.base,
            state=pull.state,
            depends_on=tuple(tasks[number] for number in parents[pull.number]),
            join=pull.base if is_join_branch(pull.base) else None,
            title=pull.title,
            url=pull.url,
            parents=tuple(parents[pull.number]),
        )
        for pull in pulls
    ]


def draw_stack(stack: Sequence[StackedPull], notes: Mapping[int, str] | None = None) -> str:
    """A tree in box characters, one root for each branch that the stacks stand on; empty for no pull requests.

    A pull request with several parents hangs on the last of them and names the others.

    Args:
        notes: What is said behind a pull request, by number.
    """
    heads = {pull.head for pull in stack}
    members = {pull.number: pull for pull in stack}
    children: dict[int, list[StackedPull]] = {}
    floors: dict[str, list[StackedPull]] = {}
    for pull, parents in _with_parents(stack):
        if parents:
            children.setdefault(parents[-1], []).append(pull)
        else:
            floor = pull.base if pull.base not in heads else next(iter(floors), pull.base)
            floors.setdefault(floor, []).append(pull)
    lines: list[str] = []
    for floor, pulls in floors.items():
        lines.append(floor)
        _draw(pulls, children, members, notes or {}, lines)
    return "".join(f"{line}\n" for line in lines)


def _draw(
    pulls: Sequence[StackedPull],
    children: Mapping[int, Sequence[StackedPull]],
    members: Mapping[int, StackedPull],
    notes: Mapping[int, str],
    lines: list[str],
) -> None:
    """Draw without recursion: a chain may be longer than Python's stack."""
    waiting = [(pull, "", position == len(pulls) - 1) for position, pull in enumerate(pulls)][::-1]
    while waiting:
        pull, before, is_last = waiting.pop()
        note = f"  · {notes[pull.number]}" if notes.get(pull.number) else ""
        lines.append(f"{before}{'└─' if is_last else '├─'} {_label(pull, members)}{note}")
        below = children.get(pull.number, ())
        inner = before + ("   " if is_last else "│  ")
        waiting += [(child, inner, position == len(below) - 1) for position, child in enumerate(below)][::-1]


def _label(pull: StackedPull, members: Mapping[int, StackedPull]) -> str:
    others = [f"#{number} {members[number].task}" for number in pull.parents[:-1]]
    also = f" ⇠ also {', '.join(others)}" if others else ""
    state = "" if pull.state == "open" else f" [{pull.state}]"
    return f"#{pull.number} {pull.task}{state}{also}"


def _with_parents(stack: Sequence[StackedPull]) -> list[tuple[StackedPull, list[int]]]:
    """Pull requests in topological order with the numbers of their parents; a circle that people made is cut open."""
    members = {pull.number: pull for pull in stack}
    names = {str(pull.number): [str(parent) for parent in pull.parents] for pull in stack}
    try:
        order = Plan.of(names, key=int).order
    except CyclicPlan:
        return [(pull, []) for pull in stack]
    return [(members[int(number)], list(members[int(number)].parents)) for number in order]


def _task_of(pull: PullRequest) -> str:
    """The task in the marker; where a person removed it, the branch tells."""
    marker = read_marker(pull.body)
    return marker.task if marker else pull.head.rpartition("/")[2]


def _parents_of(pull: PullRequest, newest: Mapping[str, int]) -> list[int]:
    """The parents that the body lists; where a person removed them, the base branch tells."""
    listed = read_parents(pull.body)
    return listed or ([newest[pull.base]] if pull.base in newest else [])
