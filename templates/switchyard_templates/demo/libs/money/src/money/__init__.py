"""Exact amounts of money: whole numbers of the smallest coin, never floats."""

from money.amount import Amount
from money.currency import Currency, currency
from money.rounding import divide

__all__ = ["Amount", "Currency", "currency", "divide"]
