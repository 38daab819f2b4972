"""Where the token comes from. It is asked for at every request and never kept longer than it is good."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from switchyard_git import GitError
from switchyard_git.process import run

from switchyard_merge.errors import ForgeRefused, ForgeUnavailable, RateLimited
from switchyard_merge.forge.github.address import GitHubAddress
from switchyard_merge.forge.github.pacing import asked_pause_s

NEEDED = {"contents": "write", "pull_requests": "write", "issues": "write", "checks": "read", "statuses": "read"}
"""The permissions that the factory uses, and all that an installation's token is minted with."""
_MARGIN_S = 300.0
_GH_TIMEOUT_S = 30.0
_WAYS = "set GITHUB_TOKEN, sign in with `gh auth login`, or configure a GitHub App"


class Tokens(Protocol):
    """Gives tokens. Nothing that is printed or raised holds one."""

    @property
    def origin(self) -> str:
        """Where they come from, in words for people."""

    def token(self) -> str:
        """One that is good now. Raises ForgeRefused where there is none, ForgeUnavailable where it can't be had now."""

    def renew(self) -> bool:
        """GitHub refused the last one: whether `token` gives another now."""


class FixedToken:
    """A token that somebody set, such as GITHUB_TOKEN."""

    def __init__(self, value: str, *, origin: str = "GITHUB_TOKEN") -> None:
        if not value.strip() or not value.strip().isprintable():
            raise ForgeRefused(f"{origin} is set and holds no token", hint=_WAYS)
        self._value = value.strip()
        self._origin = origin

    def __repr__(self) -> str:
        return f"FixedToken(origin={self._origin!r})"

    @property
    def origin(self) -> str:
        """The variable."""
        return self._origin

    def token(self) -> str:
        """The value."""
        return self._value

    def renew(self) -> bool:
        """There is no other."""
        return False


class GhCliToken:
    """What `gh auth token` says."""

    def __init__(self, host: str, environment: Mapping[str, str]) -> None:
        """Ask the `gh` that is on the environment's PATH, for a host such as `github.com`."""
        self._host = host
        self._environment = dict(environment)
        self._value = ""

    def __repr__(self) -> str:
        return f"GhCliToken(host={self._host!r})"

    @property
    def origin(self) -> str:
        """The command."""
        return "gh auth token"

    def token(self) -> str:
        """Asked once, until it is refused."""
        if not self._value:
            self._value = self._ask()
        return self._value

    def renew(self) -> bool:
        """`gh` may have refreshed it meanwhile."""
        before, self._value = self._value, ""
        return self.token() != before

    def _ask(self) -> str:
        argv = ("gh", "auth", "token", "--hostname", self._host)
        try:
            result = run(argv, cwd=Path("/"), env=self._environment, timeout_s=_GH_TIMEOUT_S)
        except GitError as err:
            raise ForgeRefused(f"no token for {self._host}: `gh` could not be asked", hint=_WAYS) from err
        value = result.stdout.decode("utf-8", "replace").strip()
        if result.code or not value:
            raise ForgeRefused(f"no token for {self._host}: `gh auth token` has none", hint=_WAYS)
        return value


class AppInstallation:
    """Tokens of a GitHub App that is installed on the repository: good for an hour, this repository and `NEEDED`."""

    def __init__(
        self,
        address: GitHubAddress,
        app_id: str,
        private_key: str,
        *,
        installation_id: int | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Mint tokens with the App's private key, in PEM.

        Args:
            installation_id: None: the installation on the repository is asked for at every minting.
        """
        self._address = address
        self._app_id = app_id
        self._private_key = private_key
        self._installation_id = installation_id
        self._now = now
        self._value = ""
        self._good_until = 0.0

    def __repr__(self) -> str:
        return f"AppInstallation(app_id={self._app_id!r}, repository={self._address.full_name!r})"

    @property
    def origin(self) -> str:
        """The App."""
        return f"GitHub App {self._app_id}"

    def token(self) -> str:
        """One with at least five minutes to live."""
        if self._now() > self._good_until - _MARGIN_S:
            self._mint()
        return self._value

    def renew(self) -> bool:
        """Mint another; the last one was revoked or has expired."""
        self._mint()
        return True

    def _mint(self) -> None:
        import jwt
        import requests
        from github import Auth, GithubException, GithubIntegration

        place = f"the GitHub App {self._app_id} on {self._address.full_name}"
        try:
            app = GithubIntegration(
                auth=Auth.AppAuth(self._app_id, self._private_key), base_url=self._address.api_url, retry=None,
                seconds_between_requests=None, seconds_between_writes=None,
            )  # fmt: skip
            installation = self._installation_id
            if installation is None:
                installation = app.get_repo_installation(self._address.owner, self._address.name).id
            minted = app.get_access_token(installation, permissions=NEEDED)
        except GithubException as err:
            pause_s = asked_pause_s(err.status, err.headers or {}, err.message or "", now=self._now(), tries=0)
            if pause_s is not None:
                raise RateLimited(f"{place} got no token: GitHub asked for a pause", retry_after_s=pause_s) from None
            if err.status >= 500:
                raise ForgeUnavailable(f"{place} got no token: HTTP {err.status}", hint="try again later") from None
            raise ForgeRefused(
                f"{place} got no token: {err.message or f'HTTP {err.status}'}",
                hint=f"check that it is installed there, its key, and that it may {_spelled(NEEDED)}",
            ) from None
        except requests.RequestException as err:
            raise ForgeUnavailable(f"{place} got no token: {type(err).__name__}", hint="check the network") from None
        except (jwt.PyJWTError, ValueError, TypeError):
            raise ForgeRefused(f"{place} has no usable key", hint="give the private key in PEM") from None
        self._value, self._good_until = minted.token, minted.expires_at.timestamp()


def choose_tokens(
    address: GitHubAddress, environment: Mapping[str, str], *, app: Callable[[], Tokens] | None = None
) -> Tokens:
    """What the environment offers: GITHUB_TOKEN, else the App, else what `gh` knows.

    Args:
        app: Opens the App that is configured; None: there is none. It goes before whoever is signed in with `gh`, so
            that no person is taken for the factory.
    """
    value = environment.get("GITHUB_TOKEN", "")
    if value:
        return FixedToken(value)
    return app() if app else GhCliToken(urlsplit(address.host_url).netloc, environment)


def _spelled(permissions: Mapping[str, str]) -> str:
    return ", ".join(f"{level} {name.replace('_', ' ')}" for name, level in permissions.items())
