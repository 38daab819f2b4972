"""Requests to GitHub, one at a time: paced, put off when GitHub asks for it, looked after when an answer got lost.

One at a time because GitHub wants it so (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from switchyard_merge.errors import ForgeRefused, ForgeUnavailable, RateLimited
from switchyard_merge.forge.contract import Waiting
from switchyard_merge.forge.github.address import GitHubAddress
from switchyard_merge.forge.github.pacing import Clock, Pace, asked_pause_s
from switchyard_merge.forge.github.tokens import Tokens

if TYPE_CHECKING:
    from github import GithubException
    from github.GithubObject import GithubObject
    from github.PaginatedList import PaginatedList
    from github.Repository import Repository as Remote

T = TypeVar("T")
Item = TypeVar("Item", bound="GithubObject")
PATIENCE_S = 3900.0
"""How long one request is put off in all: a little more than the hour after which every limit is new."""
_PAGE = 100
_LOST_PAUSES_S = (1.0, 2.0, 4.0, 8.0)
_SAID_CHARS = 500


class GitHubRefused(ForgeRefused):
    """GitHub said no: `status` as in HTTP, `said` in its own words, `details` where its answer has some."""

    def __init__(
        self, message: str, *, status: int, said: str, hint: str = "", details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.said = said
        self.details = dict(details or {})


class _Lost(Exception):
    """No answer, or one that says nothing: the request may have been carried out."""


class Calls:
    """Sends requests about one repository."""

    def __init__(
        self,
        address: GitHubAddress,
        tokens: Tokens,
        *,
        on_wait: Callable[[Waiting], None] = lambda _: None,
        clock: Clock | None = None,
        pace: Pace | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            on_wait: Told before each wait, so that people see why nothing happens.
            patience_s: Longer than this in all, no request is put off: RateLimited is raised.
        """
        _require_library()
        self.address = address
        self._tokens = tokens
        self._on_wait = on_wait
        self._clock = clock or Clock()
        self._pace = pace or Pace()
        self._patience_s = patience_s
        self._lock = threading.RLock()
        self._client: tuple[str, Remote] | None = None

    def read(self, ask: Callable[[Remote], T]) -> T:
        """An answer that changes nothing.

        Raises:
            GitHubRefused: GitHub said no.
            ForgeUnavailable: No answer after several tries; RateLimited when GitHub wants a longer pause than we have.
        """
        return self._insist(ask, None, is_write=False)

    def pages(
        self, listed: Callable[[Remote], PaginatedList[Item]], *, is_enough: Callable[[Item], bool] = lambda _: False
    ) -> list[Item]:
        """Every item of a list, each page a read of its own; a page that is not full is the last.

        Args:
            is_enough: Whether nothing after this item, the last of a page, is wanted.
        """
        items: list[Item] = []
        for number in itertools.count():
            page = self._page(listed, number)
            items += page
            if len(page) < _PAGE or is_enough(page[-1]):
                break
        return items

    def write(self, act: Callable[[Remote], T], *, done: Callable[[], T | None] = lambda: None) -> T:
        """A change, made once.

        Args:
            done: Looks whether a request whose answer got lost was carried out, before it is sent again; by default
                it simply is, which is right for changes that are the same twice.

        Raises:
            GitHubRefused, ForgeUnavailable, RateLimited: As for `read`.
        """
        return self._insist(act, done, is_write=True)

    def wait(self, waiting: Waiting) -> None:
        """Let time pass, and say why."""
        self._on_wait(waiting)
        self._clock.sleep(waiting.seconds)

    def _page(self, listed: Callable[[Remote], PaginatedList[Item]], number: int) -> list[Item]:
        return self.read(lambda remote: listed(remote).get_page(number))

    def _insist(self, act: Callable[[Remote], T], done: Callable[[], T | None] | None, *, is_write: bool) -> T:
        from github import GithubException

        waited_s, pauses, losses, renewed = 0.0, 0, 0, False
        while True:
            if is_write:
                self._keep_pace()
            try:
                return self._send(act)
            except GithubException as err:
                if err.status == 401 and not renewed and self._tokens.renew():
                    renewed = True
                    continue
                pause_s = self._pause_after(err, pauses)
                waited_s += pause_s
                if waited_s > self._patience_s:
                    raise RateLimited("GitHub wants to be asked less often", retry_after_s=pause_s) from None
                pauses += 1
                self.wait(Waiting(_limit(err), pause_s))
            except _Lost as err:
                if losses == len(_LOST_PAUSES_S):
                    raise ForgeUnavailable(
                        f"{self.address.api_url} gave no answer after {losses + 1} tries: {err}",
                        hint="try again later; what was done is found again",
                    ) from None
                self.wait(Waiting(f"no answer: {err}", _LOST_PAUSES_S[losses]))
                losses += 1
                found = done() if done else None
                if found is not None:
                    return found

    def _send(self, act: Callable[[Remote], T]) -> T:
        import requests
        from github import GithubException

        from switchyard_merge.forge.github.wire import NotGitHubs, Redirected

        with self._lock:
            try:
                return act(self._remote())
            except Redirected as err:
                raise self._moved(err.status) from None
            except NotGitHubs as err:
                raise _Lost(str(err)) from None
            except requests.RequestException as err:
                # Its text is not passed on: it may quote what was sent.
                raise _Lost(type(err).__name__) from None
            except GithubException as err:
                if err.status >= 500 or err.status == 408:
                    raise _Lost(f"HTTP {err.status}") from None
                raise

    def _remote(self) -> Remote:
        from switchyard_merge.forge.github.wire import open_repository

        token = self._tokens.token()
        if self._client is None or self._client[0] != token:
            self._client = (token, open_repository(self.address.api_url, token, self.address.full_name))
        return self._client[1]

    def _moved(self, status: int) -> GitHubRefused:
        said = f"it is not at {self.address.api_url}/repos/{self.address.full_name} any more"
        hint = "it was renamed or handed over: give the remote its new address, and `repository` under [forge], if set"
        return GitHubRefused(f"{self.address.full_name}: {said} (HTTP {status})", status=status, said=said, hint=hint)

    def _pause_after(self, err: GithubException, tries: int) -> float:
        said = _words(err)
        pause_s = asked_pause_s(err.status, err.headers or {}, said, now=self._clock.now(), tries=tries)
        if pause_s is None:
            message = f"GitHub refused something on {self.address.full_name}: {said} (HTTP {err.status})"
            details = err.data.get("details") if isinstance(err.data, dict) else None
            raise GitHubRefused(
                message,
                status=err.status,
                said=said,
                hint=_hint(err.status),
                details=details if isinstance(details, dict) else None,
            ) from None
        return pause_s

    def _keep_pace(self) -> None:
        while True:
            with self._lock:
                due_s = self._pace.due_s(self._clock.now())
                if due_s <= 0:
                    self._pace.note(self._clock.now())
                    return
            self.wait(Waiting("staying below its limit of writes", due_s))


def _require_library() -> None:
    try:
        import github  # noqa: F401
    except ImportError as err:
        raise ForgeRefused("PyGithub is not installed", hint="pip install 'switchyard-factory[github]'") from err


def _words(err: GithubException) -> str:
    """What GitHub said, its list of errors included."""
    data = err.data if isinstance(err.data, dict) else {}
    errors = data.get("errors")
    words = [str(data.get("message") or f"HTTP {err.status}")]
    for one in errors if isinstance(errors, list) else []:
        if isinstance(one, dict):
            words.append(str(one.get("message") or " ".join(str(one[key]) for key in ("field", "code") if key in one)))
        else:
            words.append(str(one))
    return ": ".join(dict.fromkeys(word for word in words if word))[:_SAID_CHARS]


def _limit(err: GithubException) -> str:
    """Which of GitHub's limits: that of requests an hour, or that of doing much at once."""
    said = _words(err).lower()
    return "secondary rate limit" if "secondary" in said or "abuse" in said else "rate limit"


def _hint(status: int) -> str:
    match status:
        case 401:
            return "the token is wrong, revoked or expired: set GITHUB_TOKEN anew, or `gh auth login`"
        case 403:
            return "the token may not do this: it needs write access to contents, pull requests and issues"
        case 404:
            return "check owner and name; a token without access to a private repository sees nothing there"
        case _:
            return "see the reason, and the pull request on GitHub"
