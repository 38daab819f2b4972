"""The ways to people outside: a webhook, and a program of this host."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from switchyard_sandbox import SandboxError
from switchyard_sandbox.launch import run_for_its_end

from switchyard.workflow.notices import Notice, one_line

TRY_S = 5.0
"""The time of one try."""
_SAID_CHARS = 200
_PIECE_CHARS = 6
"""Shorter pieces of a URL are no secret, and stand in many a text."""
_FOR_LATER = (408, 425, 429)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class NotDelivered(Exception):
    """A try that failed: why, in one line without any secret, and whether another may go better."""

    def __init__(self, reason: str, *, may_retry: bool) -> None:
        super().__init__(reason)
        self.may_retry = may_retry


class Channel(Protocol):
    """One way to people outside."""

    name: str
    fault: str
    """Why nothing can be delivered this way, which `doctor` tells; "" where nothing is known against it."""

    def deliver(self, notice: Notice) -> None:
        """Tell people, in TRY_S seconds or so.

        Raises:
            NotDelivered: They may not have been told.
        """


class Webhook:
    """Posts `{"text": …}` as Slack, Mattermost, Discord's `/slack` and others take it."""

    name = "webhook"

    def __init__(self, url: str, variable: str, *, try_s: float = TRY_S) -> None:
        """Take the URL as the host has it: it is a secret, and stands in no message of ours.

        Args:
            variable: Where it came from, which is told instead.
        """
        self._url, self._try_s = url, try_s
        self.fault = _fault_of(url, variable)

    def deliver(self, notice: Notice) -> None:
        """One POST; a redirect is not followed: the URL would be told to somebody else."""
        if self.fault:
            raise NotDelivered(self.fault, may_retry=False)
        status, said = self._post({"text": notice.slack_text})
        if not 200 <= status < 300:
            told = f": {one_line(said)[:_SAID_CHARS]}" if said.strip() and not _repeats(said, self._url) else ""
            raise NotDelivered(f"HTTP {status}{told}", may_retry=status >= 500 or status in _FOR_LATER)

    def _post(self, document: Mapping[str, str]) -> tuple[int, str]:
        import aiohttp

        try:
            return asyncio.run(_post(self._url, document, self._try_s))
        except TimeoutError:
            raise NotDelivered(f"no answer within {self._try_s:g} s", may_retry=True) from None
        except (aiohttp.ClientError, OSError, ValueError) as err:
            # What these say of themselves may hold the URL.
            why = err.strerror if isinstance(err, OSError) and err.strerror else type(err).__name__
            raise NotDelivered(f"no connection: {one_line(why)[:_SAID_CHARS]}", may_retry=True) from None


class HostCommand:
    """Runs a program of this host, outside of any sandbox, with the notice as JSON on its stdin."""

    name = "command"
    fault = ""

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], try_s: float = TRY_S) -> None:
        self._command, self._cwd, self._env, self._try_s = tuple(command), cwd, env, try_s

    def deliver(self, notice: Notice) -> None:
        """Run it once; it must end with 0."""
        argv = [_PLACEHOLDER.sub(lambda found: notice.values.get(found[1], found[0]), part) for part in self._command]
        document = json.dumps(notice.as_json()).encode() + b"\n"
        try:
            code, end = run_for_its_end(argv, cwd=self._cwd, env=self._env, timeout_s=self._try_s, stdin=document)
        except ValueError as err:
            raise NotDelivered(f"it can't be started: {one_line(str(err))}", may_retry=False) from err
        except SandboxError as err:
            raise NotDelivered(one_line(str(err))[:_SAID_CHARS], may_retry="took longer" in str(err)) from err
        if code:
            said = one_line(end.decode("utf-8", "replace"))[-_SAID_CHARS:]
            raise NotDelivered(f"{argv[0]} ended with {code}{f': {said}' if said else ''}", may_retry=True)


async def _post(url: str, document: Mapping[str, str], try_s: float) -> tuple[int, str]:
    import aiohttp

    whole = aiohttp.ClientTimeout(total=try_s)
    async with (
        aiohttp.ClientSession(timeout=whole, trust_env=True) as session,
        session.post(url, json=document, allow_redirects=False) as answer,
    ):
        return answer.status, (await answer.content.read(1_000)).decode("utf-8", "replace")


def _repeats(said: str, url: str) -> bool:
    """Whether an answer holds a piece of the URL beside its host, as what servers say of a wrong path often does."""
    parts = urlsplit(url)
    pieces = re.split(r"[^\w-]+", f"{parts.username} {parts.password} {parts.path} {parts.query}".casefold())
    return any(len(piece) >= _PIECE_CHARS and piece in said.casefold() for piece in pieces)


def _fault_of(url: str, variable: str) -> str:
    if not url:
        return f"the environment has no {variable}"
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    return "" if is_good and url.isprintable() and " " not in url else f"{variable} holds no http(s) URL"
