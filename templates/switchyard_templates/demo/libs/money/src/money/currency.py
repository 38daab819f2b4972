"""The currencies the shop takes, and how many digits stand behind the point in each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Currency:
    code: str
    digits: int


_KNOWN = {c.code: c for c in (Currency("EUR", 2), Currency("GBP", 2), Currency("JPY", 0), Currency("KWD", 3))}


def currency(code: str) -> Currency:
    """The currency with this ISO code; ValueError for one the shop doesn't take."""
    if code not in _KNOWN:
        raise ValueError(f"{code!r} is not one of {', '.join(sorted(_KNOWN))}")
    return _KNOWN[code]
