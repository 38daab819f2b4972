"""What the pull requests of a recorded stack say of their place in it: parents, map, head."""

from __future__ import annotations

from collections.abc import Mapping

from switchyard_merge.body import Marker, ParentLine, read_marker, render_place
from switchyard_merge.dag import Plan
from switchyard_merge.forge.contract import PullRequest
from switchyard_merge.navigation import StackEntry
from switchyard_merge.record import StackRecord


def stack_bodies(record: StackRecord, pulls: Mapping[str, PullRequest]) -> dict[str, str]:
    """Branch → the generated text of its open pull request, as `Keeper.bodies` wants it.

    Args:
        pulls: The newest pull request from each branch.
    """
    marked = {name: _marker(name, record, pulls[name]) for name in record.branches if name in pulls}
    stacks = _entries(record, pulls, marked)
    texts: dict[str, str] = {}
    for name, marker in marked.items():
        if pulls[name].state == "open":
            parents = [
                ParentLine(marked[parent].task, pulls[parent].number)
                for parent in record.branches[name].aim.parents
                if parent in marked
            ]
            texts[name] = render_place(pulls[name].body, marker, parents, stacks[name], record.base)
    return texts


def _marker(name: str, record: StackRecord, pull: PullRequest) -> Marker:
    """The marker with the head as it is now; where a person removed it, the branch tells."""
    found = read_marker(pull.body)
    head = record.branches[name].aim.tip
    if found:
        return Marker(found.task, found.run, head)
    run, _, task = name.removeprefix("factory/").partition("/")
    return Marker(task, run, head)


def _entries(
    record: StackRecord, pulls: Mapping[str, PullRequest], marked: Mapping[str, Marker]
) -> dict[str, list[StackEntry]]:
    """Branch → everything that hangs together with it, parents first and else by number."""
    parents = {name: [one for one in record.branches[name].aim.parents if one in marked] for name in marked}
    entries: dict[str, StackEntry] = {}
    together: dict[str, set[str]] = {}
    for name in Plan.of(parents, key=lambda one: pulls[one].number).order:
        pull = pulls[name]
        tasks = tuple(marked[one].task for one in parents[name])
        entries[name] = StackEntry(marked[name].task, pull.title, pull.number, tasks, pull.state)
        members = {name}.union(*(together[parent] for parent in parents[name]))
        together.update(dict.fromkeys(members, members))
    return {name: [entry for one, entry in entries.items() if one in together[name]] for name in entries}
