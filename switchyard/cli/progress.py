"""Shows a run while it goes on: JSON lines for scripts, a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from switchyard.cli.narration import describe_doing, describe_wait, narrate
from switchyard.cli.render import Output, Rows

if TYPE_CHECKING:
    from switchyard.ledger import Event

COLUMNS = ("task", "now", "for", "attempt")


class Progress:
    """Hears the ledger's rows as they are written and shows them."""

    def __init__(self, output: Output, redraw: Callable[[Rows], None]) -> None:
        self._output, self._redraw = output, redraw
        self._doing: dict[str, tuple[str, str]] = {}
        self._attempts: dict[str, int] = {}
        self._drawn = ""

    def hear(self, event: Event) -> None:
        """Show one row."""
        if self._output.as_json:
            self._output.line(event.as_json())
            return
        self._follow(event)
        told = narrate(event)
        if told:
            clock = event.timestamp[11:19]
            self._output.note(f"{clock}  {event.task_id + '  ' if event.task_id else ''}{told}")

    def tick(self, now: str) -> None:
        """Redraw the table, once a second at most."""
        if now[:19] == self._drawn:
            return
        self._drawn = now[:19]
        self._redraw(
            [
                (task, doing, _span(since, now), str(self._attempts.get(task, "")))
                for task, (doing, since) in self._doing.items()
            ]
        )

    def wait(self, reason: str, seconds: float) -> None:
        """Say that the forge is waited for; there is no row of the ledger yet."""
        self._output.note(describe_wait(reason, seconds))

    def _follow(self, event: Event) -> None:
        if event.event_type == "run_started":
            self._doing = {task["id"]: ("waiting", event.timestamp) for task in event.data["tasks"]}
        elif event.task_id and event.event_type != "effect_intended":
            self._doing[event.task_id] = (describe_doing(event.event_type, event.data), event.timestamp)
            if event.event_type == "assignment_dispatched":
                self._attempts[event.task_id] = event.data["attempt"]
        if event.event_type == "task_finished":
            self._doing.pop(event.task_id, None)


@contextmanager
def shown(output: Output) -> Iterator[Progress]:
    """A progress display for the length of a run."""
    with output.live(COLUMNS) as redraw:
        yield Progress(output, redraw)


def _span(since: str, now: str) -> str:
    seconds = int((datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds())
    minutes, rest = divmod(max(0, seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
