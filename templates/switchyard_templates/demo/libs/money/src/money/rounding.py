"""Division that stays in whole numbers: the only place where the shop rounds."""

from __future__ import annotations


def divide(numerator: int, denominator: int) -> int:
    """Divide and round to the nearest whole number; a tie goes to the even neighbour, as banks do it."""
    if denominator <= 0:
        raise ValueError(f"can't divide by {denominator}")
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient
