"""One go of `switchyard run`, shown while it happens and summed up at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from switchyard.cli.progress import shown
from switchyard.cli.render import Output
from switchyard.cli.standing import COLUMNS, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from switchyard.ledger import Event
    from switchyard.wiring import RunRequest
    from switchyard.workflow.orchestrator import Report
    from switchyard.workflow.plan import Draft
    from switchyard.workspace import Workspace

DONE = frozenset({"published", "approved", "landed"})


class _LastWord:
    """Holds back the newest `run_finished` row, which must be the stream's last line."""

    def __init__(self, audience: Any) -> None:
        self._audience = audience
        self.held: Event | None = None

    def hear(self, event: Event) -> None:
        if self.held is not None and event.event_type != "notified":
            self._audience.hear(self.held)
            self.held = None
        if event.event_type == "run_finished":
            self.held = event
        else:
            self._audience.hear(event)

    def tick(self, now: str) -> None:
        self._audience.tick(now)

    def wait(self, reason: str, seconds: float) -> None:
        self._audience.wait(reason, seconds)

    @property
    def held_up(self) -> str:
        """What kept the pull requests from getting their place in the stack, at the end of the newest run."""
        return str(self.held.data.get("held_up", "")) if self.held else ""


def run_once(workspace: Workspace, request: RunRequest, output: Output, *, only_if_new: bool = False) -> bool:
    """Run what is ready; whether every task that was asked for is published or landed.

    Args:
        only_if_new: Say nothing when there was nothing to do, as a watching run wants it.
    """
    from switchyard.wiring import run_tasks
    from switchyard.workflow.status import status_tasks

    with shown(output) as progress:
        audience = _LastWord(progress)
        report = run_tasks(workspace, request, audience)
    if report.held_up:
        output.warning(f"the pull requests of earlier runs were not brought up to date: {report.held_up}")
    if late := audience.held_up:
        output.warning(f"what was published was not brought up to date, the next run tries again: {late}")
    view = workspace.view() if _land_unasked(workspace, request, output) else report.view
    rows = status_tasks(view, report.draft.tasks)
    asked = [row for row in rows if _is_asked(row, report.draft, request)]
    if report.runs or not only_if_new:
        _conclude(output, audience.held, report, rows, asked)
    return all(row["state"] in DONE for row in asked)


def _land_unasked(workspace: Workspace, request: RunRequest, output: Output) -> bool:
    """Land what may land by the policy alone; whether anything was tried. What keeps it waits for the next run."""
    if not workspace.config.review.auto_merge:
        return False
    from switchyard_merge import MergeError

    from switchyard.landings import LandRequest, land_unasked

    landing = LandRequest(accept_no_isolation=request.accept_no_isolation, environ=request.environ)
    try:
        return land_unasked(workspace, landing, output.note) is not None
    except MergeError as err:
        output.warning(f"nothing was landed: {err}{f' ({err.hint})' if err.hint else ''}")
        return True


def _is_asked(row: Mapping[str, Any], draft: Draft, request: RunRequest) -> bool:
    """Whether the run answers for a task: one that was named, else every ready one that nobody had given up before."""
    if request.selection:
        return row["id"] in request.selection
    if row["state"] == "cancelled" and any(skipped.id == row["id"] for skipped in draft.skipped):
        return False
    return any(task.id == row["id"] and task.state == "ready" for task in draft.tasks)


def _conclude(
    output: Output,
    finished: Event | None,
    report: Report,
    rows: Sequence[dict[str, Any]],
    asked: Sequence[dict[str, Any]],
) -> None:
    if output.as_json:
        output.line(_finished_document(finished, rows))
        return
    output.table({}, COLUMNS, rows_of(asked), empty="nothing to do: no task is ready (`switchyard task list`)")
    done = {row["id"] for row in rows if row["state"] in DONE}
    released = {task.id for task in report.draft.tasks if task.state == "ready"}
    for skipped in report.draft.skipped:
        is_news = skipped.id in released - done
        (output.note if is_news else output.detail)(f"not run: {skipped.id}: {skipped.why}")
    waiting = [row["id"] for row in asked if row["state"] == "needs_person"]
    if waiting:
        output.note(f"needs a person: {', '.join(waiting)} (`switchyard escalation list`)")


def _finished_document(finished: Event | None, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if finished is None:
        empty = {"schema": "switchyard.event/1", "seq": None, "timestamp": None, "run_id": None, "task_id": ""}
        document = {**empty, "agent": "", "event_type": "run_finished", "artifact_reference": None}
    else:
        document = finished.as_json()
    return {**document, "data": {"tasks": list(rows)}}
