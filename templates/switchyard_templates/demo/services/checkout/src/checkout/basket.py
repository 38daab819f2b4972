"""What a customer is about to buy."""

from __future__ import annotations

from dataclasses import dataclass

from money import Amount, Currency


@dataclass(frozen=True)
class Line:
    """Some copies of one book."""

    title: str
    price: Amount
    copies: int = 1

    def total(self) -> Amount:
        return self.price.times(self.copies)


@dataclass(frozen=True)
class Basket:
    currency: Currency
    lines: tuple[Line, ...] = ()

    def goods(self) -> Amount:
        """The price of everything in it, before shipping."""
        return sum((line.total() for line in self.lines), Amount(0, self.currency))
