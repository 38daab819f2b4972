"""Tokens that boxes hold instead of keys: a file each, named by the token's hash, so that no reader learns a token."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

_FOLDER = "tokens"
_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Token:
    """What one token is good for."""

    id: str
    """The secret's hash."""
    labels: dict[str, str]
    endpoints: tuple[str, ...]
    """Names of the endpoints that it opens."""
    expires: float
    """Seconds since the epoch."""
    secret: str = field(default="", repr=False)
    """Known to whom it was issued to alone; empty when read back."""


class TokenStore:
    """The tokens of one gateway; whoever may write the folder may issue them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FOLDER

    def issue(self, labels: Mapping[str, str], endpoints: Sequence[str], expires: float) -> Token:
        """A new token."""
        secret = f"sy-{secrets.token_urlsafe(32)}"
        token = Token(_hash(secret), dict(labels), tuple(endpoints), expires, secret)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._folder / f".new-{token.id}"
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(token) | {"secret": ""}))
        fresh.rename(self._folder / token.id)
        return token

    def find(self, secret: str, now: float) -> Token | None:
        """The token of that secret, if it is alive."""
        return self.read(_hash(secret), now)

    def read(self, id: str, now: float) -> Token | None:
        """The token of that id, if it is alive."""
        if not _ID.fullmatch(id):
            return None
        try:
            known = json.loads((self._folder / id).read_text())
        except FileNotFoundError:
            return None
        token = Token(**(known | {"endpoints": tuple(known["endpoints"])}))
        return token if token.expires > now else None

    def alive(self, now: float) -> list[Token]:
        """Every live token; the dead are removed."""
        found = []
        for place in sorted(self._folder.glob("*")):
            token = self.read(place.name, now)
            if token is not None:
                found.append(token)
            elif _ID.fullmatch(place.name):
                self.revoke(place.name)
        return found

    def revoke(self, id: str) -> None:
        """End a token; one that is gone is no error."""
        if _ID.fullmatch(id):
            with suppress(FileNotFoundError):
                (self._folder / id).unlink()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
