"""Signed statements: what the factory claims of a published task, in a form that others can verify by themselves."""

from switchyard.attestation.envelope import PAYLOAD_TYPE, seal, unseal
from switchyard.attestation.errors import AttestationError, EnvelopeInvalid, KeyUnavailable
from switchyard.attestation.keys import HostKey, read_public
from switchyard.attestation.statement import (
    Asked,
    Chosen,
    LedgerHead,
    Origin,
    Resource,
    StatedTask,
    Statement,
    make_statement,
    plain,
)
from switchyard.attestation.verification import (
    Fault,
    compare_artifacts,
    compare_ledger,
    compare_remote,
    compare_subject,
)

__all__ = [
    "PAYLOAD_TYPE",
    "Asked",
    "AttestationError",
    "Chosen",
    "EnvelopeInvalid",
    "Fault",
    "HostKey",
    "KeyUnavailable",
    "LedgerHead",
    "Origin",
    "Resource",
    "StatedTask",
    "Statement",
    "compare_artifacts",
    "compare_ledger",
    "compare_remote",
    "compare_subject",
    "make_statement",
    "plain",
    "read_public",
    "seal",
    "unseal",
]
