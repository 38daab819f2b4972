"""What people are told of outside: which rows of the ledger are news, and how each reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from switchyard.config.notification import NotifyConfig, Occasion
from switchyard.ledger import Effect, Event, NewEvent, intend_effect

SCHEMA = "switchyard.notice/1"
MOST_CHARS = 3_000
_OCCASIONS: Mapping[str, Occasion] = {"escalated": "needs_person", "run_finished": "run_finished"}
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True)
class Notice:
    """One piece of news."""

    key: str
    """The ledger's, of the row that it tells of."""
    occasion: Occasion
    title: str
    """One line that begins with a word of the factory's."""
    reason: str
    run_id: str
    task_id: str
    timestamp: str
    artifact: str
    data: Mapping[str, Any]

    @property
    def values(self) -> dict[str, str]:
        """What stands for the placeholders of a command; no value passes for an option or is too long for one."""
        values = {
            "title": self.title,
            "event": self.occasion,
            "task": self.task_id,
            "run": self.run_id,
            "reason": _cut(one_line(self.reason)),
        }
        return {name: f" {value}" if value.startswith("-") else value for name, value in values.items()}

    @property
    def slack_text(self) -> str:
        """As Slack and its like read it: nothing in it is a link, a command or calls anybody."""
        more = f"`switchyard escalation show {self.task_id}`" if self.occasion == "needs_person" else ""
        quoted = "\n".join(f"> {one_line(line)}" for line in self.reason.splitlines() if line.strip())
        text = "\n".join(part for part in (f"*{self.title}*", quoted, f"run {self.run_id}, {self.timestamp}") if part)
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n&gt; ", "\n> ")
        kept = _cut(escaped)
        return f"{kept}\n{more}" if more else kept

    def as_json(self) -> dict[str, Any]:
        """`switchyard.notice/1`."""
        return {
            "schema": SCHEMA,
            "key": self.key,
            "event": self.occasion,
            "title": self.title,
            "reason": self.reason,
            "run": self.run_id,
            "task": self.task_id or None,
            "timestamp": self.timestamp,
            "artifact": self.artifact or None,
            "data": dict(self.data),
        }


def intend_notices(connection: sa.Connection, event: NewEvent, config: NotifyConfig, timestamp: str) -> None:
    """Journal, in the transaction that writes a row, that people are to be told of it; nothing where it is no news."""
    occasion = _OCCASIONS.get(event.event_type)
    if occasion is None or occasion not in config.on:
        return
    for channel in config.channels:
        key, intent = f"notification:{channel}:{event.key}", {"channel": channel, "row": event.key}
        intend_effect(connection, Effect(key, "notification", event.run_id, event.task_id, intent), timestamp)


def notice_of(event: Event) -> Notice:
    """The news in a row."""
    occasion = _OCCASIONS[event.event_type]
    tell = _needs_person if occasion == "needs_person" else _run_finished
    title, reason = tell(event)
    return Notice(
        event.key,
        occasion,
        title,
        reason,
        event.run_id,
        event.task_id,
        event.timestamp,
        event.artifact_reference,
        event.data,
    )


def one_line(text: str) -> str:
    """Foreign text as one harmless line."""
    return " ".join(_UNSHOWN.sub(" ", text).split())


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}…"


def _needs_person(event: Event) -> tuple[str, str]:
    return f"Switchyard: {one_line(event.task_id)} needs a person", str(event.data.get("reason", ""))


def _run_finished(event: Event) -> tuple[str, str]:
    tasks = event.data.get("tasks", [])
    counts = Counter(str(task.get("state", "")).replace("_", " ") for task in tasks)
    told = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "no task"
    reasons = [
        f"{task.get('id')}: {task['needs_person'].get('reason', '')}".splitlines()[0]
        for task in tasks
        if task.get("needs_person")
    ]
    return f"Switchyard: run finished: {told}", "\n".join(reasons)
