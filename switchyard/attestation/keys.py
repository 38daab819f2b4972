"""The host's key: from a variable of its environment, else one of its own that is made when it is first needed."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from switchyard.attestation.errors import KeyUnavailable

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey

PRIVATE, PUBLIC = "signing.pem", "signing.pub.pem"


@dataclass(frozen=True)
class HostKey:
    """Where the key is; nothing is read before it is used."""

    folder: Path
    """Of the key that this host makes for itself: `signing.pem`, readable by its owner alone, and its public half."""
    variable: str = ""
    """The environment variable that holds another in PEM; "" means none."""
    pem: str = ""
    """What that variable holds."""

    @classmethod
    def of(cls, environ: Mapping[str, str], variable: str) -> HostKey:
        """The key of whoever has this environment."""
        named = environ.get("XDG_CONFIG_HOME", "")
        home = Path(environ.get("HOME") or Path.home())
        configuration = Path(named) if named.startswith("/") else home / ".config"
        return cls(configuration / "switchyard", variable, environ.get(variable, "") if variable else "")

    def __repr__(self) -> str:
        return f"HostKey(folder={self.folder!r}, variable={self.variable!r})"

    def signer(self) -> CryptoSigner:
        """The private key, made where this host has none.

        Raises:
            KeyUnavailable: It can't be had; nothing was signed.
        """
        if self.variable:
            return _signer(self._pem().encode(), f"${self.variable}")
        path = self.path
        try:
            if not self.is_made:
                _make_key(path)
            signer = _signer(_read_private(path), str(path))
            _keep_public(self.folder / PUBLIC, public_pem(signer))
        except OSError as err:
            raise KeyUnavailable(f"no signing key at {path}: {err.strerror or err}") from err
        return signer

    def public(self) -> SSlibKey:
        """The public half, by which this host's own statements are verified; none is made.

        Raises:
            KeyUnavailable: This host has no key.
        """
        if self.variable:
            return self.signer().public_key
        if not self.is_made:
            raise KeyUnavailable(
                f"this host has no key at {self.path}", hint="name the signer's public key with --key PUBLIC.pem"
            )
        return self.signer().public_key

    @property
    def path(self) -> Path:
        """The key that this host makes for itself."""
        return self.folder / PRIVATE

    @property
    def is_made(self) -> bool:
        """Whether it did so already."""
        try:
            return self.path.is_file()
        except OSError:
            return False

    def _pem(self) -> str:
        if not self.pem.strip():
            raise KeyUnavailable(
                f"the environment has no {self.variable}",
                hint=f"export {self.variable}, or take signing_key_env out of [evidence]",
            )
        return self.pem


def read_public(path: Path) -> SSlibKey:
    """A public key from a PEM file.

    Raises:
        KeyUnavailable: There is none, or none of a kind that is known.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        return SSlibKey.from_crypto(load_pem_public_key(path.read_bytes()))
    except OSError as err:
        raise KeyUnavailable(f"no public key at {path}: {err.strerror or err}") from err
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise KeyUnavailable(f"{path} holds no public key in PEM: {err}") from err


def public_pem(signer: CryptoSigner) -> bytes:
    """The public half, as others read it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    private = load_pem_private_key(signer.private_bytes, None)
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _signer(pem: bytes, place: str) -> CryptoSigner:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    try:
        return CryptoSigner(load_pem_private_key(pem, None))
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        # What the library says may quote the key; its kind is enough.
        raise KeyUnavailable(
            f"{place} holds no private key that can be used ({type(err).__name__})",
            hint="it takes an unencrypted PKCS #8 key in PEM: openssl genpkey -algorithm ed25519",
        ) from None


def _read_private(path: Path) -> bytes:
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyUnavailable(f"others may read {path} (mode {stat.S_IMODE(mode):o})", hint=f"chmod 600 {path}")
    return path.read_bytes()


def _make_key(path: Path) -> None:
    """Make a key whole and at once: of two processes that both find none, the first to link its own wins."""
    from securesystemslib.signer import CryptoSigner

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = _write_beside(path, CryptoSigner.generate_ed25519().private_bytes)
    try:
        os.link(made, path)
    except FileExistsError:
        return
    finally:
        made.unlink()


def _keep_public(path: Path, pem: bytes) -> None:
    if not path.is_file() or path.read_bytes() != pem:
        made = _write_beside(path, pem)
        made.chmod(0o644)
        made.replace(path)


def _write_beside(path: Path, data: bytes) -> Path:
    """A new file of the owner's alone in the same folder, on disk."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
