"""When the next request may go out: our own pace below GitHub's limits, and the pauses that GitHub asks for.

Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MINUTE_S, HOUR_S = 60.0, 3600.0
WRITE_LIMITS: Sequence[tuple[int, float]] = ((80, MINUTE_S), (500, HOUR_S))
"""Requests that create content: so many in so many seconds."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 60.0, 960.0


@dataclass(frozen=True)
class Clock:
    """The time, and a way to let it pass."""

    now: Callable[[], float] = time.time
    """Seconds since 1970, as GitHub's `X-RateLimit-Reset` counts."""
    sleep: Callable[[float], None] = time.sleep


class Pace:
    """Writes of one process, kept below GitHub's limits."""

    def __init__(self, limits: Sequence[tuple[int, float]] = WRITE_LIMITS) -> None:
        self._limits = limits
        self._sent: deque[float] = deque(maxlen=max((count for count, _ in limits), default=1))

    def due_s(self, now: float) -> float:
        """Seconds until one more write is allowed; 0 when it is."""
        waits = [0.0]
        for count, span_s in self._limits:
            if len(self._sent) >= count:
                waits.append(self._sent[-count] + span_s - now)
        return max(waits)

    def note(self, now: float) -> None:
        """Count a write."""
        self._sent.append(now)


def asked_pause_s(status: int, headers: Mapping[str, str], message: str, *, now: float, tries: int) -> float | None:
    """Seconds to wait before the same request is sent again; None when the answer is no limit but a refusal.

    Args:
        tries: How often this request was put off before; without a word from GitHub, each pause doubles.
    """
    after, spent = headers.get("retry-after", ""), headers.get("x-ratelimit-remaining") == "0"
    told = "rate limit" in message.lower() or "abuse detection" in message.lower()
    if status != 429 and not (status == 403 and (after or spent or told)):
        return None
    if after.isdecimal():
        return float(after)
    reset = headers.get("x-ratelimit-reset", "")
    if spent and reset.isdecimal():
        return max(0.0, float(reset) - now) + 1
    return min(_FIRST_PAUSE_S * 2.0**tries, _LONGEST_PAUSE_S)
