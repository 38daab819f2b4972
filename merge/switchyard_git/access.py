"""A password for git that no command line, environment, file or keyring ever holds.

git asks a credential helper for it, and the helper reads it from a pipe that only this one command inherits.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from switchyard_git.errors import GitError

_LONGEST_PASSWORD = 10_000
"""Well below what a pipe takes without a reader."""


@dataclass(frozen=True)
class Access:
    """How to be let in over HTTP by one host."""

    host_url: str
    """Scheme, host and port, such as `https://github.com`; nobody else is told the password."""
    password: Callable[[], str] = field(repr=False)
    """Asked anew for every command, since tokens expire."""
    user: str = "x-access-token"
    renew: Callable[[], bool] = field(default=lambda: False, repr=False)
    """Asked once when the password was refused; whether there is another one now."""

    def serves(self, place: str) -> bool:
        """Whether a URL leads to that host, by that scheme and port."""
        try:
            asked, ours = urlsplit(place), urlsplit(self.host_url)
            return (asked.scheme, asked.hostname, asked.port) == (ours.scheme, ours.hostname, ours.port)
        except ValueError:
            return False


@dataclass(frozen=True)
class Introduction:
    """What one git command gets so that it can introduce itself."""

    config: Sequence[str] = ()
    pass_fds: Sequence[int] = ()


@contextlib.contextmanager
def introduced(access: Access | None, place: str) -> Iterator[Introduction]:
    """Settings and a pipe for one command that talks to `place`; nothing where the access is not for it.

    Raises:
        GitError: The password cannot be one.
    """
    if access is None or not access.serves(place):
        yield Introduction()
        return
    password = access.password()
    if not password or len(password) > _LONGEST_PASSWORD or not password.isprintable():
        raise GitError(
            f"what should let us into {access.host_url} is no password", hint="check where the token comes from"
        )
    reader, writer = os.pipe()
    try:
        with os.fdopen(writer, "w", encoding="utf-8") as told:
            told.write(f"username={access.user}\npassword={password}\n")
        # Not `<&17`: to dash, a descriptor has one digit.
        helper = f'!f() {{ test "$1" = get && cat /dev/fd/{reader}; }}; f'
        section = f"credential.{access.host_url}"
        # A user's `insteadOf` may send every URL of the host elsewhere, by SSH say: of several the longest counts.
        stays = (f"url.{place}.insteadOf={place}", f"url.{place}.pushInsteadOf={place}")
        # The empty helper forgets the user's own, which would otherwise be told to remember our password.
        yield Introduction((*stays, f"{section}.helper=", f"{section}.helper={helper}"), (reader,))
    finally:
        os.close(reader)
