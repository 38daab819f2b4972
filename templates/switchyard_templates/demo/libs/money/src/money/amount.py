"""An amount of money in one currency, counted in its smallest coin."""

from __future__ import annotations

from dataclasses import dataclass

from money.currency import Currency
from money.rounding import divide


@dataclass(frozen=True, order=True)
class Amount:
    minor: int
    currency: Currency

    def __add__(self, other: Amount) -> Amount:
        self._require_same_currency(other)
        return Amount(self.minor + other.minor, self.currency)

    def __sub__(self, other: Amount) -> Amount:
        self._require_same_currency(other)
        return Amount(self.minor - other.minor, self.currency)

    def times(self, numerator: int, denominator: int = 1) -> Amount:
        """This amount times a fraction, rounded once."""
        return Amount(divide(self.minor * numerator, denominator), self.currency)

    def __str__(self) -> str:
        digits = self.currency.digits
        sign = "-" if self.minor < 0 else ""
        whole, rest = divmod(abs(self.minor), 10**digits)
        fraction = f".{rest:0{digits}d}" if digits else ""
        return f"{sign}{whole}{fraction} {self.currency.code}"

    def _require_same_currency(self, other: Amount) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self} and {other} are in different currencies: convert one first")
