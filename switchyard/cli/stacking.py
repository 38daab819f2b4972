"""What was done to a stack, branch by branch: as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from switchyard.cli.render import Output

if TYPE_CHECKING:
    from switchyard.stacks import StackChange

COLUMNS = ("pull request", "task", "outcome", "base", "note")


def show_change(schema: str, change: StackChange | None, output: Output) -> int:
    """Print it; the exit code: 1 where a branch waits for a person."""
    if change is None:
        output.document({"schema": schema, "stack": None, "dry_run": False, "pull_requests": []})
        output.note("the factory has published nothing yet; a stack of yours is meant by its name")
        return 0
    rows = list(_rows(change))
    document = {
        "schema": schema,
        "stack": change.name,
        "base": change.record.base,
        "dry_run": change.dry_run,
        "pull_requests": rows,
    }
    cells = [
        (f"#{row['number']}" if row["number"] else "", row["task"], row["outcome"], row["base"] or "", _note(row))
        for row in rows
    ]
    output.table(document, COLUMNS, cells, empty="nothing of it is left: all of it has landed")
    for branch, command in change.outdated.items():
        output.note(f"{branch} is not where its pull request is; to bring it there: {command}")
    for row in rows:
        if row["left_out"]:
            output.note(
                f"{row['task']} is not in the file any more, and its pull request #{row['number']} stays: "
                "close it to give it up, or put it back into the file"
            )
    return 1 if any(row["outcome"] == "blocked" for row in rows) else 0


def _rows(change: StackChange) -> Iterator[dict[str, Any]]:
    from switchyard_merge import read_marker

    plan = change.plan
    moves = {one.branch: one for one in (*plan.revived, *plan.moved) if one.new != one.expected}
    steps = {step.branch: step for step in plan.steps}
    for branch in dict.fromkeys([*plan.landed, *change.record.branches, *plan.blocked]):
        pull = change.pulls.get(branch)
        marker = read_marker(pull.body) if pull else None
        step, move = steps.get(branch), moves.get(branch)
        base = step.base if step and step.base else (pull.base if pull else None)
        yield {
            "number": pull.number if pull and pull.number else None,
            "url": pull.url if pull and pull.url else None,
            "task": marker.task if marker else change.sources.get(branch, branch.rpartition("/")[2]),
            "head": branch,
            "base": base,
            "outcome": _outcome(change, branch),
            "from": move.expected if move else None,
            "to": move.new if move else None,
            "commit": plan.landed.get(branch) or None,
            "reason": plan.blocked[branch].reason if branch in plan.blocked else None,
            "update": change.outdated.get(change.sources.get(branch, "")),
            "left_out": branch in change.left_out,
        }


def _outcome(change: StackChange, branch: str) -> str:
    plan = change.plan
    step = next((one for one in plan.steps if one.branch == branch), None)
    if branch in plan.blocked:
        return "blocked"
    if branch in plan.landed:
        return "landed"
    if step and not step.number:
        return "opened"
    if step and step.reopen:
        return "reopened"
    if any(one.branch == branch and one.new != one.expected for one in plan.moved):
        return "restacked"
    return "retargeted" if step and step.base else "unchanged"


def _note(row: dict[str, Any]) -> str:
    if row["reason"]:
        return str(row["reason"])
    if row["commit"]:
        return f"in {row['commit'][:10]}"
    return f"{(row['from'] or 'new')[:10]} → {row['to'][:10]}" if row["to"] else ""
