"""What attestation raises."""

from __future__ import annotations


class AttestationError(Exception):
    """Root of what switchyard.attestation raises: KeyUnavailable, EnvelopeInvalid."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class KeyUnavailable(AttestationError):
    """There is no key to sign or to verify with, or it is none that can be used."""


class EnvelopeInvalid(AttestationError):
    """Bytes are no signed statement, or the signature on them is not this key's."""
