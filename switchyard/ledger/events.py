"""One row of the ledger, how it is written down canonically and what its hash covers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

EventType = Literal[
    "run_started",
    "task_claimed",
    "context_selected",
    "sandbox_created",
    "assignment_dispatched",
    "plan_generated",
    "code_generated",
    "attempt_extracted",
    "egress_decided",
    "check_passed",
    "check_failed",
    "gate_decided",
    "qa_passed",
    "qa_failed",
    "canary_passed",
    "canary_failed",
    "retry_scheduled",
    "verdict_sealed",
    "verdict_revealed",
    "policy_decided",
    "escalated",
    "commented",
    "notified",
    "branch_published",
    "pull_request_opened",
    "statement_signed",
    "forge_waiting",
    "pull_request_changed",
    "restacked",
    "landed",
    "task_finished",
    "disagreement_found",
    "disagreement_resolved",
    "finding_filed",
    "finding_merged",
    "finding_kept",
    "task_clarified",
    "packet_refused",
    "budget_exhausted",
    "operator_action",
    "run_finished",
    "effect_intended",
]
EVENT_TYPES: tuple[str, ...] = get_args(EventType)

GENESIS = "0" * 64
"""The hash that the first row names as its predecessor's."""

Data = Mapping[str, Any]


@dataclass(frozen=True)
class NewEvent:
    """What a writer knows of an event; the ledger adds sequence and hashes.

    `key` makes a second append of the same fact a no-op: it is unique in the ledger.
    """

    key: str
    event_type: EventType
    timestamp: str
    """RFC 3339, UTC."""
    run_id: str = ""
    task_id: str = ""
    agent: str = ""
    artifact_reference: str = ""
    data: Data = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """A row as it stands in the ledger."""

    sequence: int
    key: str
    run_id: str
    task_id: str
    agent: str
    event_type: str
    timestamp: str
    artifact_reference: str
    data: Data
    previous_hash: str
    hash: str

    def as_json(self) -> dict[str, Any]:
        """The row as `run --json` and `ledger tail --json` print it: schema `switchyard.event/1`."""
        return {
            "schema": "switchyard.event/1",
            "seq": self.sequence,
            "timestamp": self.timestamp,
            "run_id": self.run_id,
            "task_id": self.task_id,
            "agent": self.agent,
            "event_type": self.event_type,
            "artifact_reference": self.artifact_reference or None,
            "data": dict(self.data),
        }


def canonical_json(value: object) -> str:
    """JSON with sorted keys, no spaces and ASCII alone: equal values have equal bytes, and any text can be stored.

    A file name that is not UTF-8 arrives as half a surrogate pair, which no database takes as it is.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def hash_row(previous_hash: str, sequence: int, event: NewEvent, data_json: str) -> str:
    """SHA-256 over every field of a row, the predecessor's hash first."""
    fields = [
        previous_hash,
        sequence,
        event.key,
        event.run_id,
        event.task_id,
        event.agent,
        event.event_type,
        event.timestamp,
        event.artifact_reference,
        data_json,
    ]
    return hashlib.sha256(canonical_json(fields).encode("ascii")).hexdigest()
