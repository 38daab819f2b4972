"""The event log: append-only rows in a hash chain, the artifacts they name, and the views folded from them."""

from switchyard.ledger.artifacts import ArtifactStore
from switchyard.ledger.effects import Effect, complete_effect, find_effect, intend_effect, unfinished_effects
from switchyard.ledger.errors import ArtifactDamaged, ArtifactMissing, LedgerBroken, LedgerError
from switchyard.ledger.events import EVENT_TYPES, Event, EventType, NewEvent
from switchyard.ledger.evidence import Claim, Missing, claims_of, missing_claims
from switchyard.ledger.readings import CLAIMS, Outcome
from switchyard.ledger.replay import FactoryView, RunView, TaskView, fold
from switchyard.ledger.store import append, connect, create_tables, read_events, read_head, touch_head, verify_chain

__all__ = [
    "CLAIMS",
    "EVENT_TYPES",
    "ArtifactDamaged",
    "ArtifactMissing",
    "ArtifactStore",
    "Claim",
    "Effect",
    "Event",
    "EventType",
    "FactoryView",
    "LedgerBroken",
    "LedgerError",
    "Missing",
    "NewEvent",
    "Outcome",
    "RunView",
    "TaskView",
    "append",
    "claims_of",
    "complete_effect",
    "connect",
    "create_tables",
    "find_effect",
    "fold",
    "intend_effect",
    "missing_claims",
    "read_events",
    "read_head",
    "touch_head",
    "unfinished_effects",
    "verify_chain",
]
