"""The connection below PyGithub, which takes a redirect without its query, or a proxy's page, for an answer.

Imported where a client is made only: the library is optional.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from github import Auth
from github.Repository import Repository
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester

_TIMEOUT_S = 30
_PAGE = 100
_NO_CONTENT = 204


class NotGitHubs(requests.RequestException):
    """An answer that GitHub can't have given, or not the whole of it: a page of some proxy's, half a document."""


class Redirected(requests.RequestException):
    """The repository is asked for at an address that it does not have any more: `status` as in HTTP."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


def open_repository(api_url: str, token: str, full_name: str) -> Repository:
    """A repository to ask things of; nothing is sent yet. Requests raise requests.RequestException, too."""
    return Repository(_Requester(api_url, token), url=f"/repos/{full_name}")


class _Requester(Requester):
    def __init__(self, api_url: str, token: str) -> None:
        # Its own waits and retries are off: they are not shown to anybody, and a lost write would be sent twice.
        super().__init__(
            auth=Auth.Token(token), base_url=api_url, timeout=_TIMEOUT_S, user_agent="switchyard", per_page=_PAGE,
            verify=True, retry=None, pool_size=None, seconds_between_requests=None, seconds_between_writes=None,
            lazy=True,
        )  # fmt: skip
        parts = urlsplit(api_url)
        kind = HTTPSRequestsConnectionClass if parts.scheme == "https" else HTTPRequestsConnectionClass
        self._wire = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
        self._wire.session.hooks["response"].append(_refuse_odd)

    def requestJson(  # noqa: N802  # the library's name
        self,
        verb: str,
        url: str,
        parameters: dict[str, Any] | None = None,
        headers: dict[str, Any] | None = None,
        input: Any | None = None,
        cnx: HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass | None = None,
        follow_302_redirect: bool = False,
    ) -> tuple[int, dict[str, Any], str]:
        """As the library has it, over a connection that looks at what comes."""
        return super().requestJson(verb, url, parameters, headers, input, cnx or self._wire, follow_302_redirect)


def _refuse_odd(answer: requests.Response, **_: object) -> None:
    if 300 <= answer.status_code < 400:
        answer.close()
        raise Redirected(answer.status_code)
    is_document = answer.text.startswith(("{", "["))
    if answer.status_code == _NO_CONTENT or (answer.status_code >= 400 and not is_document):
        return
    try:
        answer.json()
    except requests.JSONDecodeError:
        raise NotGitHubs("its answer is no whole JSON") from None
