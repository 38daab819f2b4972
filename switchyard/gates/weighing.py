"""Every gate that needs nothing but the change itself, one after the other; none is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from switchyard.config import Config
from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.convergence import judge_tests
from switchyard.gates.static import Rules, inspect_change
from switchyard.packets import GateResult, PlannedTask


def weigh_change(task: PlannedTask, change: Change, config: Config) -> list[GateResult]:
    """What the gates say of a whole attempt against its task's base, by the task's and the repository's rules."""
    return [judge_tests(change, task.allow), *inspect_change(change, Rules.of(config, task.allow))]


def states_of(changes: Sequence[Change]) -> list[Mapping[str, bytes]]:
    """Path → content of every file that any of the changes touches: on the base, then after each.

    A file that is too long to be read on any side is left out of all.
    """
    unread = {file.path for change in changes for file in change.files if _is_unread(file)}
    base: dict[str, bytes] = {}
    for change in changes:
        base.update(change.before)
    states: list[Mapping[str, bytes]] = [base]
    for change in changes:
        gone = {file.path for file in change.files if not file.mode_after}
        states.append({path: text for path, text in {**base, **change.after}.items() if path not in gone})
    return [{path: text for path, text in state.items() if path not in unread} for state in states]


def _is_unread(file: ChangedFile) -> bool:
    return (bool(file.mode_before) and file.before is None) or (bool(file.mode_after) and file.after is None)
