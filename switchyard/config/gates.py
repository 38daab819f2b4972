"""The shape of `[gates]`: what the gates measure against."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from switchyard.config.table import Table


class GatesConfig(Table):
    """`[gates]`: what the gates measure against; none of them can be switched off."""

    max_file_kb: Annotated[int, Field(ge=1)] = 1024
    """A changed file above this size, in KiB, waits for a person."""
