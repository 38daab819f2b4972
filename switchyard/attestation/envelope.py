"""The envelope around a statement: DSSE, so that any tool of the in-toto family can open and verify it.

Source: https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from switchyard.attestation.errors import EnvelopeInvalid

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def seal(payload: bytes, signer: CryptoSigner) -> bytes:
    """The payload in an envelope, signed."""
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return json.dumps(envelope.to_dict(), indent=2).encode() + b"\n"


def unseal(data: bytes, key: SSlibKey) -> bytes:
    """What an envelope holds, once the key's signature on it is verified.

    Raises:
        EnvelopeInvalid: It is no envelope, of another type, or not signed by this key as it is.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError

    try:
        envelope = Envelope.from_dict(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
        raise EnvelopeInvalid(f"the envelope can't be read: {type(err).__name__}") from err
    if envelope.payload_type != PAYLOAD_TYPE:
        raise EnvelopeInvalid(f"the envelope holds {envelope.payload_type!r}, not {PAYLOAD_TYPE!r}")
    if key.keyid not in envelope.signatures:
        named = ", ".join(sorted(str(name)[:16] for name in envelope.signatures)) or "nobody"
        told = f"the statement is signed by {named}, not by key {key.keyid[:16]}"
        raise EnvelopeInvalid(told, hint="--key PUBLIC.pem names another key")
    try:
        envelope.verify([key], 1)
    except VerificationError as err:
        raise EnvelopeInvalid(f"the signature of key {key.keyid[:16]} is not of this statement") from err
    return bytes(envelope.payload)
