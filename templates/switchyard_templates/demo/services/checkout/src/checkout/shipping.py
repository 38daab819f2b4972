"""What it costs to send a parcel."""

from __future__ import annotations

from money import Amount, Currency

LETTER = {"EUR": 390, "GBP": 330, "JPY": 600, "KWD": 1250}
"""The price of a letter, in the smallest coin."""


def letter(currency: Currency) -> Amount:
    """What a letter costs."""
    return Amount(LETTER[currency.code], currency)
