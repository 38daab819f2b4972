"""What a customer pays, and how the sum is made up."""

from __future__ import annotations

from dataclasses import dataclass

from checkout.basket import Basket
from checkout.shipping import letter
from money import Amount


@dataclass(frozen=True)
class Totals:
    goods: Amount
    shipping: Amount

    @property
    def to_pay(self) -> Amount:
        return self.goods + self.shipping


def totals(basket: Basket) -> Totals:
    """Add a basket up. An empty one ships for nothing."""
    shipping = letter(basket.currency) if basket.lines else Amount(0, basket.currency)
    return Totals(basket.goods(), shipping)
