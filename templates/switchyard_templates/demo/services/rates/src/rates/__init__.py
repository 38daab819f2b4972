"""Exchange rates: where they come from and what an amount is worth elsewhere."""

from rates.convert import convert
from rates.table import RateTable, load_table

__all__ = ["RateTable", "convert", "load_table"]
