"""The authorities that a box with a network trusts: a copy of this machine's, in a file of the box's own."""

from __future__ import annotations

from pathlib import Path

from switchyard_sandbox.embedded.confinement import CERTIFICATES

_SYSTEM = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def give(etc: Path, own: Path | None) -> None:
    """Write them to the folder of the box's own files of /etc.

    Args:
        own: Where they come from; None: the system's.
    """
    known = [own] if own else [Path(place) for place in _SYSTEM]
    target = etc / Path(CERTIFICATES).name
    target.write_bytes(next((place.read_bytes() for place in known if place.is_file()), b""))
    target.chmod(0o644)
