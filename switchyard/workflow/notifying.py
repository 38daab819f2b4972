"""Delivers notices in the background: journalled before, tried a few times, never in the way of a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Protocol, TypeVar

import sqlalchemy as sa

from switchyard.ledger import Effect, Event, NewEvent, complete_effect, read_events, unfinished_effects
from switchyard.workflow.channels import Channel, NotDelivered
from switchyard.workflow.notices import Notice, notice_of

PAUSES_S = (1.0, 3.0)
"""Between the tries of one notice."""
PATIENCE_S = 30.0
"""How long the end of a run waits for what is still to be delivered; the rest is for the next run."""
_STEP_S = 0.2


T = TypeVar("T")


class Books(Protocol):
    """The ledger's database, as the engine has it."""

    def read(self, function: Callable[[sa.Connection], T]) -> T:
        """Ask it."""

    def write(self, function: Callable[[sa.Connection], object]) -> None:
        """One transaction."""


class Notifier:
    """Delivers what the ledger's journal says is owed, each once unless its outcome got lost with the process."""

    def __init__(
        self,
        engine: Books,
        channels: Sequence[Channel],
        now: Callable[[], str],
        *,
        pauses_s: Sequence[float] = PAUSES_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._engine, self._now, self._pauses_s, self._patience_s = engine, now, tuple(pauses_s), patience_s
        self._channels = {channel.name: channel for channel in channels}
        self._owed: SimpleQueue[Effect] = SimpleQueue()
        self._taken: set[str] = set()
        self._pending = 0
        self._given_up: set[str] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._worker = threading.Thread(target=self._work, name="notifier", daemon=True)

    def look(self) -> None:
        """Take up what is owed and not yet under way: of this run, and of earlier ones that were stopped."""
        owed = self._engine.read(lambda connection: unfinished_effects(connection, "notification"))
        for effect in owed:
            if effect.key not in self._taken:
                self._taken.add(effect.key)
                with self._lock:
                    self._pending += 1
                self._owed.put(effect)
        if owed and not self._worker.is_alive() and not self._stopped.is_set():
            self._worker.start()

    def finish(self) -> None:
        """Wait a while for what is under way; what is left over is owed still."""
        until = time.monotonic() + self._patience_s
        while self._pending and time.monotonic() < until:
            time.sleep(_STEP_S / 4)
        self._stopped.set()

    def _work(self) -> None:
        while not self._stopped.is_set():
            effect = self._owed.get()
            try:
                # On a full disk its outcome can't be recorded, and it is owed still.
                with suppress(sa.exc.SQLAlchemyError):
                    self._deliver(effect)
            finally:
                with self._lock:
                    self._pending -= 1

    def _deliver(self, effect: Effect) -> None:
        channel = self._channels.get(str(effect.intent.get("channel")))
        event = self._engine.read(partial(_find_row, key=str(effect.intent.get("row")), run_id=effect.run_id))
        if channel is None or event is None:
            fault, tries = "it is not configured any more", 0
        else:
            fault, tries = self._try(channel, notice_of(event))
        if self._stopped.is_set() and fault:
            return
        data = {"channel": effect.intent.get("channel"), "row": event.sequence if event else None}
        outcome = {**data, "ok": not fault, "tries": tries, "fault": fault}
        row = NewEvent(f"notified:{effect.key}", "notified", self._now(), effect.run_id, effect.task_id, data=outcome)
        self._engine.write(lambda connection: complete_effect(connection, effect.key, outcome, row))

    def _try(self, channel: Channel, notice: Notice) -> tuple[str, int]:
        """Why it was not delivered, "" where it was, and the number of tries."""
        # What failed for one notice will hardly work for the next: each of these gets one try only.
        pauses = () if channel.name in self._given_up else self._pauses_s
        for number, pause in enumerate((*pauses, None), 1):
            try:
                channel.deliver(notice)
            except NotDelivered as err:
                if pause is None or not err.may_retry or self._stopped.wait(pause):
                    self._given_up.add(channel.name)
                    return str(err), number
            else:
                self._given_up.discard(channel.name)
                return "", number
        raise AssertionError("the last try returns")


def _find_row(connection: sa.Connection, *, key: str, run_id: str) -> Event | None:
    return next((event for event in read_events(connection, run_id=run_id) if event.key == key), None)
