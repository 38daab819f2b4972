"""What an amount is worth in another currency."""

from __future__ import annotations

from money import Amount, Currency
from rates.table import RateTable


def convert(amount: Amount, target: Currency, table: RateTable) -> Amount:
    """The amount in `target`, rounded once to its smallest coin."""
    rate = table.rate(amount.currency.code, target.code)
    scale_up, scale_down = 10**target.digits, 10**amount.currency.digits
    whole = amount.times(rate.numerator * scale_up, rate.denominator * scale_down)
    return Amount(whole.minor, target)
