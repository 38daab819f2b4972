"""The shape of `[evidence]`: how what the factory claims is signed."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from switchyard.config.table import Table, check_variable


class EvidenceConfig(Table):
    """`[evidence]`: how what the factory claims is signed."""

    sign: bool = True
    """Whether each published task gets a signed statement of what is claimed of it."""
    signing_key_env: Annotated[str, AfterValidator(lambda name: name and check_variable(name))] = ""
    """The host's environment variable that holds the private key, in PEM; "" means a key that this host makes."""
