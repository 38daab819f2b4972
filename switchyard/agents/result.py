"""What an agent leaves beside its edits: `result.json`, the packet of its role, checked on the host."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError
from switchyard_sandbox import BoxId, Command, Driver

from switchyard.agents.events import one_line
from switchyard.packets import RolePacket
from switchyard.packets.roles import MOST_ANSWER_BYTES

PLACE = "~/result.json"
"""Beside the work tree, so that it never is part of the result."""
SCHEMA_FILE = "result.schema.json"
_READ = f'[ -f "$HOME/result.json" ] && head -c {MOST_ANSWER_BYTES + 1} "$HOME/result.json"'
_READ_S = 60.0

P = TypeVar("P", bound=RolePacket)


@dataclass(frozen=True)
class LeftResult(Generic[P]):
    """A `result.json` that was found."""

    raw: bytes
    """At most MOST_ANSWER_BYTES of it."""
    result: P | None
    fault: str = ""
    """Why it is not one, in lines; empty where it is."""


def result_schema(kind: type[RolePacket]) -> bytes:
    """The JSON schema that the agent is given."""
    return json.dumps(kind.model_json_schema(), indent=2).encode()


def collect_result(driver: Driver, box: BoxId, kind: type[P]) -> LeftResult[P] | None:
    """What the agent left in its box; None: nothing."""
    found = driver.execute(box, Command(("sh", "-c", _READ), timeout_s=_READ_S))
    return read_result(found.stdout, kind) if found.exit_code == 0 else None


def read_result(raw: bytes, kind: type[P]) -> LeftResult[P]:
    """Check a `result.json`, whatever it holds."""
    if len(raw) > MOST_ANSWER_BYTES:
        return LeftResult(raw[:MOST_ANSWER_BYTES], None, f"it is longer than {MOST_ANSWER_BYTES} bytes")
    try:
        return LeftResult(raw, kind.model_validate_json(raw))
    except ValidationError as err:
        return LeftResult(raw, None, "\n".join(_described(err)))


def correction(fault: str) -> str:
    """The prompt of the one turn in which an agent may mend its `result.json`."""
    return (
        f"`{PLACE}` is not what its schema asks for:\n\n{fault}\n\n"
        "Write it again, whole, and change nothing else. If you can't, remove it."
    )


def _described(err: ValidationError) -> Sequence[str]:
    faults = err.errors(include_url=False, include_context=False, include_input=False)[:20]
    places = [".".join(map(str, fault["loc"])) or "the file" for fault in faults]
    return [one_line(f"- {place}: {fault['msg']}", most=300) for place, fault in zip(places, faults, strict=True)]
