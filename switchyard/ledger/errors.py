"""What the ledger raises."""

from __future__ import annotations


class LedgerError(Exception):
    """Root of what switchyard.ledger raises: LedgerBroken, ArtifactMissing, ArtifactDamaged."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class LedgerBroken(LedgerError):
    """A row does not hash to what the chain says; `sequence` is the first such row."""

    def __init__(self, message: str, *, sequence: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.sequence = sequence


class ArtifactMissing(LedgerError):
    """A referenced artifact is not in the store."""


class ArtifactDamaged(LedgerError):
    """An artifact's bytes do not hash to its name."""
