"""What `plan` says: the order, the stacks, the contexts and what keeps tasks apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from switchyard.wiring import Preview

SCHEMA = "switchyard.plan/1"


def plan_document(preview: Preview) -> dict[str, Any]:
    """The plan as JSON: tasks in the order in which they may start."""
    plan = preview.draft.plan
    landed = {name for name, one in plan.settled.items() if one.landed}
    parents = {task.id: [name for name in task.parents if name not in landed] for task in plan.tasks}
    return {
        "schema": SCHEMA,
        "base": plan.base_commit,
        "base_branch": plan.base_branch,
        "target": plan.target,
        "concurrency": plan.concurrency,
        "tasks": [
            {
                "id": task.id,
                "title": task.title,
                "depends_on": list(task.depends_on),
                "parents": parents[task.id],
                "join": len(parents[task.id]) > 1,
                "overlaps": list(task.overlaps),
                "startable": task.id in preview.draft.startable,
                "context": preview.contexts[task.id],
                "limits": {"repairs": task.repairs, "timeout_minutes": task.timeout_minutes},
            }
            for task in plan.tasks
        ],
        "skipped": [{"id": skipped.id, "why": skipped.why} for skipped in preview.draft.skipped],
        "unfinished_runs": [run.id for run in preview.unfinished],
    }


def describe_draft(document: Mapping[str, Any]) -> str:
    """The plan as text."""
    tasks = document["tasks"]
    lines = [
        f"{len(tasks)} task{'s' if len(tasks) != 1 else ''} on {document['base_branch']} ({document['base'][:10]})"
    ]
    for position, task in enumerate(tasks, start=1):
        lines += _describe_task(position, task)
    lines += [f"not run: {skipped['id']}: {skipped['why']}" for skipped in document["skipped"]]
    lines += [f"first goes on: run {run}, which was interrupted" for run in document["unfinished_runs"]]
    return "\n".join(lines)


def _describe_task(position: int, task: Mapping[str, Any]) -> list[str]:
    on = " + ".join(task["parents"]) or "the base"
    lines = [f"{position:>3}. {task['id']}  on {on}{' (a join)' if task['join'] else ''}"]
    context = task["context"]
    files = len(context["files"])
    lines.append(f"     context: {files} file{'s' if files != 1 else ''}, {context['tokens']} tokens")
    if task["overlaps"]:
        lines.append(f"     not while these run: {', '.join(task['overlaps'])}")
    if not task["startable"]:
        lines.append("     waits: something it depends on can't go on")
    return lines
