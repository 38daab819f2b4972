"""What an agent is seen doing, whatever its kind: events of its stream, what it used, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

EventKind = Literal["started", "message", "tool_call", "tool_result", "usage", "error", "result"]
UsageScope = Literal["call", "turn", "thread"]
"""What a count is of: one call of the model, one turn of the agent, or everything in its session up to then."""


@dataclass(frozen=True)
class Usage:
    """Tokens as the agent itself counts them; the gateway's own count is the one that budgets go by."""

    scope: UsageScope
    input_tokens: int = 0
    """The whole prompts, with what came from a cache."""
    cached_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True)
class AgentEvent:
    """One thing that an agent's stream told."""

    kind: EventKind
    text: str = ""
    """A message's or an error's words, a tool's name, the final text of a result."""
    ok: bool = True
    """Of a tool_result and of a result: whether it went well."""
    session_id: str = ""
    """Of started and of a result: how the session is resumed."""
    usage: Usage | None = None


@dataclass(frozen=True)
class Ending:
    """How the agent's process ended: exactly one of exit_code and signal is not None."""

    exit_code: int | None
    signal: int | None = None
    limit: str | None = None
    """The timer or limit that ended it."""
    stderr: str = ""
    is_cut: bool = False
    """Whether output was lost."""


@dataclass(frozen=True)
class Outcome:
    """How a turn ended. `ok` says that the agent thinks so: the diff and the checks prove it or don't."""

    ok: bool
    reason: str = ""
    """Why not, in one line; empty where it is ok."""
    session_id: str = ""
    usage: Usage | None = None
    final_text: str = ""


def conclude(ending: Ending, events: Sequence[AgentEvent]) -> Outcome:
    """The outcome of a turn: it is ok if the process ended well and a result said so after the last error."""
    result = next((event for event in reversed(events) if event.kind == "result"), None)
    messages = [event.text for event in events if event.kind == "message" and event.text]
    session = next((event.session_id for event in reversed(events) if event.session_id), "")
    final = result.text if result is not None and result.text else (messages[-1] if messages else "")
    reason = _reason(ending, events, result)
    return Outcome(not reason, reason, session, total_usage(events), final)


def total_usage(events: Iterable[AgentEvent]) -> Usage | None:
    """One sum for a thread: its own total where the agent gives one, else its turns', else its calls'."""
    counts = [event.usage for event in events if event.usage is not None]
    if threads := [count for count in counts if count.scope == "thread"]:
        return threads[-1]
    kept = [count for count in counts if count.scope == "turn"] or counts
    if not kept:
        return None
    return add_usage(kept)


def add_usage(counts: Sequence[Usage]) -> Usage:
    """The sum of several turns or calls, as a thread's."""
    return Usage(
        "thread",
        sum(count.input_tokens for count in counts),
        sum(count.cached_tokens for count in counts),
        sum(count.output_tokens for count in counts),
    )


def read_object(line: str) -> Mapping[str, Any] | None:
    """A line as a JSON object; None: it is none, so it is something that a program printed beside its stream."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def one_line(text: str, *, most: int = 500) -> str:
    """Foreign words as one harmless line."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    joined = " ".join(shown.split())
    return joined if len(joined) <= most else f"{joined[: most - 1]}…"


def shortened(event: AgentEvent) -> AgentEvent:
    """The event without the bulk of its words."""
    return replace(event, text=one_line(event.text))


def _reason(ending: Ending, events: Sequence[AgentEvent], result: AgentEvent | None) -> str:
    errors = [event.text for event in events if event.kind == "error" and event.text]
    if ending.limit:
        return f"ended by the {ending.limit} limit"
    if ending.signal:
        return f"ended by signal {ending.signal}"
    if result is not None and not result.ok:
        return one_line(result.text or (errors[-1] if errors else "it reported a failure"))
    if ending.exit_code:
        said = errors[-1] if errors else _last_line(ending.stderr)
        return one_line(f"exited with {ending.exit_code}" + (f": {said}" if said else ""))
    if result is None:
        said = errors[-1] if errors else _last_line(ending.stderr)
        cut = "its output was cut" if ending.is_cut else "it ended without a result"
        return one_line(f"{cut}: {said}" if said else cut)
    return ""


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
