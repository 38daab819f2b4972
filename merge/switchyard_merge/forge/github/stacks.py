"""GitHub's own stacks (a public preview): linear chains of pull requests, and the asynchronous merge they require.

Sources: https://docs.github.com/en/rest/pulls/stacks, https://github.github.io/gh-stack/reference/merge-api/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from switchyard_merge.errors import ForgeUnavailable, HeadMoved, NotMergeable
from switchyard_merge.forge.contract import MergeMethod, PullRequest, Waiting
from switchyard_merge.forge.github.calls import Calls, GitHubRefused
from switchyard_merge.forge.github.reading import told

if TYPE_CHECKING:
    from github.Repository import Repository as Remote

FEWEST, MOST = 2, 100
"""Pull requests in one stack."""
_POLL_S = 1.0
_PATIENCE_POLLS = 600


@dataclass(frozen=True)
class MergeRequest:
    """What is to be merged, and how."""

    number: int
    method: MergeMethod
    expected_head: str
    title: str = ""
    message: str = ""

    def words(self) -> dict[str, Any]:
        """The commit's title and message, where they are given."""
        given = {"commit_title": self.title, "commit_message": self.message}
        return {name: text for name, text in given.items() if text}


def stack(calls: Calls, numbers: Sequence[int]) -> int | None:
    """Tell GitHub that these pull requests are one stack, bottom first; the stack's number.

    None where the repository has no stacks, or the chain is too short or too long for one: chained bases do without.
    A chain that is a stack already is adopted; one that has grown is added to.

    Raises:
        GitHubRefused: The bases do not form a chain, or some belong to another stack.
    """
    if not FEWEST <= len(numbers) <= MOST:
        return None
    try:
        there = _stack_with(calls, numbers[0])
        if there is None:
            made = calls.write(
                lambda remote: _ask(remote, "POST", "/stacks", {"pull_requests": list(numbers)}),
                done=lambda: _stack_with(calls, numbers[0]),
            )
            return int(made["number"])
        members = [int(pull["number"]) for pull in there["pull_requests"]]
        grown = list(numbers[len(members) :])
        if members == list(numbers[: len(members)]) and grown:
            path = f"/stacks/{there['number']}/add"
            calls.write(
                lambda remote: _ask(remote, "POST", path, {"pull_requests": grown}),
                done=lambda: _stack_with(calls, grown[-1]),
            )
        return int(there["number"])
    except GitHubRefused as err:
        if err.status == 404:
            return None
        raise


def merge(calls: Calls, asked: MergeRequest) -> bool:
    """Merge in the background and wait for the end; False where the repository has no such call.

    Raises:
        HeadMoved: The head is not the expected one.
        NotMergeable: GitHub could not, with its reason.
        ForgeUnavailable: It takes too long, or waits in GitHub's own merge queue; look again later.
    """
    path = f"/pulls/{asked.number}/merge-async"
    wanted = {"merge_method": asked.method, "sha": asked.expected_head, **asked.words()}
    try:
        result = calls.write(lambda remote: _ask(remote, "PUT", path, wanted))
    except GitHubRefused as err:
        result = _refused(calls, asked, err)
        if result is None:
            return False
    uuid = _details(result).get("uuid")
    for _ in range(_PATIENCE_POLLS):
        if result.get("status") != "pending":
            break
        calls.wait(Waiting("it merges in the background", _POLL_S))
        result = calls.read(lambda remote: _ask(remote, "GET", f"{path}/{uuid}"))
    match result.get("status"):
        case "merged":
            return True
        case "failed":
            raise _why_not(_pull(calls, asked.number), asked, str(_details(result).get("message", "it failed")))
        case state:
            raise ForgeUnavailable(
                f"pull request #{asked.number} is not merged yet: {state or 'no status'}", hint="look again later"
            )


def _refused(calls: Calls, asked: MergeRequest, err: GitHubRefused) -> dict[str, Any] | None:
    """What a refusal means: no such call (None), a merge under way already, or that it cannot be."""
    if err.status == 404:
        return None
    if err.status == 409 and err.details.get("uuid"):
        return {"status": "pending", "details": err.details}
    if err.status in (400, 405, 409, 422):
        pull = _pull(calls, asked.number)
        if pull.state == "merged":
            return {"status": "merged"}
        raise _why_not(pull, asked, str(err.details.get("message") or err.said)) from None
    raise err


def _details(result: Mapping[str, Any]) -> Mapping[str, Any]:
    return result.get("details") or {}


def _why_not(pull: PullRequest, asked: MergeRequest, said: str) -> HeadMoved | NotMergeable:
    if pull.state == "open" and pull.head_sha != asked.expected_head:
        return HeadMoved(asked.number, expected=asked.expected_head, found=pull.head_sha)
    return NotMergeable(asked.number, said)


def _pull(calls: Calls, number: int) -> PullRequest:
    return calls.read(lambda remote: told(remote.get_pull(number).complete()))


def _stack_with(calls: Calls, number: int) -> dict[str, Any] | None:
    found = calls.read(lambda remote: _ask(remote, "GET", f"/stacks?pull_request={number}"))
    return found[0] if found else None


def _ask(remote: Remote, verb: str, path: str, data: Mapping[str, object] | None = None) -> Any:
    """A request that PyGithub has no method for, with its authentication and errors."""
    _, answer = remote.requester.requestJsonAndCheck(verb, f"{remote.url}{path}", input=dict(data) if data else None)
    return answer
