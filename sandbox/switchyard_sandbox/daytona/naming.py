"""Files whose names the service's uploads can't carry: it trims them, and holds them to be UTF-8 and printable."""

from __future__ import annotations

import os
import secrets
import shlex

from switchyard_sandbox.daytona.remote import Remote

_RENAME_S = 60.0


def put_under_odd_name(remote: Remote, path: str, data: bytes, mode: int) -> None:
    """Write a file of any name: under a plain one, which the box's own shell then changes."""
    fresh = remote.place.inbox(f".new-{secrets.token_hex(4)}")
    remote.upload({fresh: data})
    octal = "".join(f"\\{byte:03o}" for byte in os.fsencode(path))
    remote.run(
        # The x keeps a final newline, which a substitution would lose. What runs twice finds nothing to move any more.
        f"p=$(printf '{octal}x'); p=${{p%x}}; f={shlex.quote(fresh)}; mkdir -p -- \"${{p%/*}}\" && "
        f'{{ [ ! -e "$f" ] || {{ chmod {mode:o} "$f" && mv -f -- "$f" "$p"; }}; }}',
        _RENAME_S,
    )
