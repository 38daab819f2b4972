"""The table of exchange rates, read from the file that the bank publishes."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

PUBLISHED = Path(__file__).parent / "data" / "rates.csv"


@dataclass(frozen=True)
class RateTable:
    """What one unit of `pivot` buys, by currency code."""

    pivot: str
    rates: Mapping[str, Fraction]

    def rate(self, source: str, target: str) -> Fraction:
        """How much of `target` one unit of `source` buys, through the pivot."""
        return self._per_pivot(target) / self._per_pivot(source)

    def _per_pivot(self, code: str) -> Fraction:
        if code == self.pivot:
            return Fraction(1)
        if code not in self.rates:
            raise ValueError(f"no rate for {code}: the table has {', '.join(sorted(self.rates))}")
        return self.rates[code]


def load_table(path: Path = PUBLISHED) -> RateTable:
    """Read a table: one `currency,rate` line each, rates as decimal numbers per euro."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return RateTable("EUR", {row["currency"]: Fraction(row["rate"]) for row in rows})
