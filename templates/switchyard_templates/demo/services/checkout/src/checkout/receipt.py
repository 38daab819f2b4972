"""The receipt as a customer reads it."""

from __future__ import annotations

from checkout.basket import Basket
from checkout.totals import totals


def receipt(basket: Basket) -> str:
    """One line a title, then shipping and what is to be paid."""
    sums = totals(basket)
    rows = [(f"{line.copies} × {line.title}", str(line.total())) for line in basket.lines]
    rows += [("Shipping", str(sums.shipping)), ("To pay", str(sums.to_pay))]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value:>12}" for name, value in rows)
