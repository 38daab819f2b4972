"""What one task's line writes down: steps, ledger rows and effects, each under a key that makes it one fact."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel

from switchyard.ledger import Effect, Event, EventType, NewEvent, append, complete_effect, intend_effect, read_events
from switchyard.ledger.effects import EffectKind
from switchyard.ledger.store import find_sequence
from switchyard.packets import RunId, TaskId
from switchyard.workflow.engine import Engine, Json
from switchyard.workflow.factory import Factory
from switchyard.workflow.failures import answer, stop_if_failed
from switchyard.workflow.notices import intend_notices
from switchyard.workflow.operating import cancelled_since

T = TypeVar("T")


@dataclass(frozen=True)
class Fact:
    """What one of several ledger rows says."""

    name: str
    data: Mapping[str, Any]
    artifact: str = ""


class Journal:
    """Steps and facts of one run, or of one task in it."""

    def __init__(
        self, factory: Factory, engine: Engine, run_id: RunId, task_id: TaskId | None = None, *, agent: str = ""
    ) -> None:
        self._factory, self._engine, self._run_id = factory, engine, run_id
        self._task_id, self._agent = task_id or TaskId(""), agent

    def step(self, name: str, function: Callable[[], BaseModel | None]) -> Json:
        """Act once and record the answer; a known failure is recorded too and raised as Stopped."""
        return stop_if_failed(self._engine.step(name, lambda: self._answer(function)))

    def record(self, name: str, event_type: EventType, data: Mapping[str, Any], *, artifact: str = "") -> None:
        """One ledger row, in the transaction that also records the step."""

        def write(connection: sa.Connection) -> None:
            self._append(connection, self._event(name, event_type, data, artifact))

        self._engine.transaction(name, write)

    def record_all(self, name: str, event_type: EventType, facts: Sequence[Fact]) -> None:
        """Ledger rows of one kind in one transaction, which takes hardly longer than with one."""

        def write(connection: sa.Connection) -> None:
            for fact in facts:
                self._append(connection, self._event(fact.name, event_type, fact.data, fact.artifact))

        self._engine.transaction(name, write)

    def record_view(self, name: str, event_type: EventType, view: Callable[[sa.Connection], Mapping[str, Any]]) -> None:
        """A ledger row whose data is read from the database in the same transaction."""

        def write(connection: sa.Connection) -> None:
            self._append(connection, self._event(name, event_type, view(connection), ""))

        self._engine.transaction(name, write)

    def intend(self, kind: EffectKind, key: str, intent: Mapping[str, Any]) -> None:
        """Journal that an effect is about to be tried."""
        effect = Effect(self._key(kind, key), kind, self._run_id, self._task_id, intent)
        self._engine.transaction(f"intend {kind} {key}", lambda c: intend_effect(c, effect, self._factory.now()))

    def complete(
        self, kind: EffectKind, key: str, event_type: EventType, data: Mapping[str, Any], *, artifact: str = ""
    ) -> None:
        """Record what came of an effect, with its ledger row."""

        def write(connection: sa.Connection) -> None:
            event = self._event(f"{event_type}:{key}", event_type, data, artifact)
            complete_effect(connection, self._key(kind, key), data, event)

        self._engine.transaction(f"complete {kind} {key}", write)

    def note(self, name: str, event_type: EventType, data: Mapping[str, Any], *, artifact: str = "") -> None:
        """A ledger row from inside a step: it stands even if the step is killed and begun again."""
        self._engine.write(lambda c: append(c, self._event(name, event_type, data, artifact)))

    def add(self, event: NewEvent) -> None:
        """A ledger row of the whole factory's, from inside a step; its key makes it one fact."""
        self._engine.write(lambda connection: append(connection, event))

    def ask(self, name: str, question: Callable[[sa.Connection], Json]) -> Json:
        """Read the database inside a recorded transaction, so that a replay sees the same answer."""
        return self._engine.transaction(name, question)

    def read(self, question: Callable[[sa.Connection], T]) -> T:
        """Read the database from inside a step."""
        return self._engine.read(question)

    def sequence_of(self, connection: sa.Connection, name: str) -> int:
        """The sequence of the row that was recorded under that name."""
        return find_sequence(connection, f"{self._run_id}/{self._task_id}/{name}")

    def task_rows(self) -> list[Event]:
        """What the ledger says of the task, of every run; from inside a step, whose answer is recorded."""
        return self._engine.read(lambda connection: list(read_events(connection, task_id=self._task_id)))

    def _append(self, connection: sa.Connection, event: NewEvent) -> None:
        """Write a row, and before it that people are to be told of it, if they are."""
        intend_notices(connection, event, self._factory.config.notify, event.timestamp)
        append(connection, event)

    def _answer(self, function: Callable[[], BaseModel | None]) -> Json:
        return answer(function, is_cancelled=self._is_cancelled, state=self._factory.places.state)

    def _is_cancelled(self) -> bool:
        return self._engine.read(lambda connection: cancelled_since(connection, self._run_id, self._task_id))

    def _event(self, name: str, event_type: EventType, data: Mapping[str, Any], artifact: str) -> NewEvent:
        return NewEvent(
            key=f"{self._run_id}/{self._task_id}/{name}",
            event_type=event_type,
            timestamp=self._factory.now(),
            run_id=self._run_id,
            task_id=self._task_id,
            agent=self._agent,
            artifact_reference=artifact,
            data=data,
        )

    def _key(self, kind: EffectKind, key: str) -> str:
        return f"{kind}:{self._run_id}/{self._task_id}/{key}"
