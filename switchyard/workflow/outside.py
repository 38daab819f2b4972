"""What an attempt reaches outside of its sandbox: a token for the models while it lasts, and what it asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from switchyard_sandbox import Decision, GatewayAccess, SandboxError

from switchyard.packets import EgressNote, ModelUse

if TYPE_CHECKING:
    from switchyard_sandbox.gateway import GatewayHandle, Token, UsageRow

MOST_NOTES = 200


@dataclass(frozen=True)
class Gateway:
    """The gateway of a configuration, which runs from the first time that it is needed."""

    endpoints: tuple[str, ...]
    start: Callable[[], GatewayHandle]
    state: Path
    """The folder that it belongs to."""

    def revive(self) -> None:
        """Start it again where it was killed while somebody holds a token; an error shows again when it is used."""
        from switchyard_sandbox.gateway.handle import live_tokens

        if live_tokens(self.state):
            with suppress(SandboxError, OSError):
                self.start()


class ModelAccess:
    """One attempt's way to the models; ends with the `with`, and an interrupted try's with the next one's begin."""

    def __init__(self, gateway: Gateway | None, labels: Mapping[str, str], ttl_s: float) -> None:
        self._gateway, self._labels, self._ttl_s = gateway, dict(labels), ttl_s
        self._held: tuple[GatewayHandle, Token, int] | None = None

    def __enter__(self) -> ModelAccess:
        if self._gateway is None:
            return self
        handle = self._gateway.start()
        for token in handle.tokens():
            if token.labels == self._labels:
                handle.revoke(token)
        before = max((row.sequence for row in handle.usage()), default=0)
        self._held = handle, handle.issue(self._labels, self._gateway.endpoints, self._ttl_s), before
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None) -> None:
        if self._held is not None:
            handle, token, _ = self._held
            handle.revoke(token)

    @property
    def granted(self) -> GatewayAccess | None:
        """What the sandbox gets; None: no endpoint is configured."""
        if self._held is None:
            return None
        handle, token, _ = self._held
        return handle.access(token)

    def used(self) -> tuple[ModelUse, ...]:
        """What was counted so far, by endpoint and model."""
        if self._held is None:
            return ()
        handle, token, before = self._held
        return sum_up(row for row in handle.usage(before) if row.token == token.id)


def sum_up(rows: Iterable[UsageRow]) -> tuple[ModelUse, ...]:
    """Rows by endpoint and model."""
    found: dict[tuple[str, str], ModelUse] = {}
    for row in rows:
        key = (row.endpoint, row.model)
        old = found.get(key) or ModelUse(
            endpoint=key[0],
            model=key[1],
            requests=0,
            input_tokens=0,
            cached_tokens=0,
            cache_write_tokens=0,
            output_tokens=0,
            uncounted=0,
        )
        found[key] = ModelUse(
            endpoint=key[0],
            model=key[1],
            requests=old.requests + 1,
            input_tokens=old.input_tokens + row.input_tokens,
            cached_tokens=old.cached_tokens + row.cached_tokens,
            cache_write_tokens=old.cache_write_tokens + row.cache_write_tokens,
            output_tokens=old.output_tokens + row.output_tokens,
            uncounted=old.uncounted + (not (row.is_metered and row.is_whole)),
            failed=old.failed + (row.status >= 400),
        )
    return tuple(found[key] for key in sorted(found))


def note_egress(decisions: Iterable[Decision]) -> tuple[EgressNote, ...]:
    """Decisions in the order of their first time; what came again counts up."""
    counts = Counter(replace(decision, time=0) for decision in decisions)
    notes = [
        EgressNote(asked=_shown(each.asked), decision=each.decision, reason=_shown(each.reason), count=counts[each])
        for each in counts
    ]
    if len(notes) > MOST_NOTES:
        rest = sum(note.count for note in notes[MOST_NOTES:])
        last = EgressNote(asked="", decision="refused", reason="more than are noted one by one", count=rest)
        return (*notes[:MOST_NOTES], last)
    return tuple(notes)


def _shown(text: str) -> str:
    """What a box said as one harmless line."""
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text)
