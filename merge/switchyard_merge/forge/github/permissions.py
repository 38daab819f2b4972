"""What the token may do, and how the forge itself can be told that the factory pushes `factory/**` and no more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from switchyard_merge.forge.github.address import PUBLIC_API, GitHubAddress
from switchyard_merge.forge.github.calls import Calls, GitHubRefused

_NAME = "only the factory's own branches"
_CLASSIC = ("repo", "public_repo")
_PEOPLES_ROLES = (5, 2, 4)
"""GitHub's numbers for the roles admin, maintain and write."""


@dataclass(frozen=True)
class TokenCheck:
    """What GitHub lets the token do."""

    may_read: bool
    may_push: bool
    is_admin: bool
    """Whether it could move any branch: more than the factory needs."""
    scopes: tuple[str, ...]
    """Of a classic token; empty for the fine-grained kinds, which do not say."""
    problems: tuple[str, ...]
    """What keeps the factory from working, in sentences; empty: nothing."""
    advice: tuple[str, ...] = ()
    """What would be safer."""


def check_token(calls: Calls) -> TokenCheck:
    """Ask GitHub what the token may do on the repository: one read, nothing is written.

    Raises:
        ForgeUnavailable: No answer.
    """
    name = calls.address.full_name
    try:
        headers, facts = calls.read(lambda remote: remote.requester.requestJsonAndCheck("GET", remote.url))
    except GitHubRefused as err:
        return TokenCheck(False, False, False, (), (f"{name} can't be read: {err.said}. {err.hint}",))
    may: Mapping[str, bool] = facts.get("permissions") or {}
    scopes = tuple(one.strip() for one in str(headers.get("x-oauth-scopes") or "").split(",") if one.strip())
    may_push, is_admin = bool(may.get("push")), bool(may.get("admin"))
    problems = []
    if not may_push:
        problems.append(f"the token may not push to {name}: give it write access to contents and pull requests")
    if scopes and not set(scopes) & set(_CLASSIC):
        problems.append(f"the token's scopes are {', '.join(scopes)}: `repo` is needed (`public_repo` if it is public)")
    if facts.get("archived"):
        problems.append(f"{name} is archived: nothing can be pushed there")
    advice = []
    if is_admin:
        advice.append(f"the token administers {name}: a ruleset binds it only when nobody may bypass it")
    if "repo" in scopes:
        advice.append("the token reaches every repository of its owner: a fine-grained one for this alone is safer")
    return TokenCheck(True, may_push, is_admin, scopes, tuple(problems), tuple(advice))


def is_bound(calls: Calls) -> bool:
    """Whether the ruleset of `ruleset_advice` is in force; False, too, where the token may not look. One read.

    Raises:
        ForgeUnavailable: No answer.
    """
    try:
        _, rulesets = calls.read(lambda remote: remote.requester.requestJsonAndCheck("GET", f"{remote.url}/rulesets"))
    except GitHubRefused:
        return False
    return any(one.get("name") == _NAME and one.get("enforcement") == "active" for one in rulesets)


def ruleset_advice(address: GitHubAddress) -> str:
    """How to make GitHub itself refuse whatever the factory's App pushes outside `factory/**`: a command to run once.

    The factory refuses by itself already; this holds even for a token that was stolen. Merging stays possible, since
    the rule for other branches is "by pull request only".
    """
    reviews = {
        "required_approving_review_count": 0,
        "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_review_thread_resolution": False,
    }
    ruleset = {
        "name": _NAME,
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [
            {"actor_id": role, "actor_type": "RepositoryRole", "bypass_mode": "always"} for role in _PEOPLES_ROLES
        ],
        "conditions": {"ref_name": {"include": ["~ALL"], "exclude": ["refs/heads/factory/**/*"]}},
        "rules": [
            {"type": "creation"},
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {"type": "pull_request", "parameters": reviews},
        ],
    }
    host = "" if address.api_url == PUBLIC_API else f" --hostname {address.host_url.partition('://')[2]}"
    return (
        f"GitHub itself can refuse what is pushed outside `factory/**`. An administrator of {address.full_name} runs "
        f"once:\n\n"
        f"gh api{host} --method POST repos/{address.full_name}/rulesets --input - <<'RULESET'\n"
        f"{json.dumps(ruleset, indent=2)}\nRULESET\n\n"
        "People with write access keep it, by their roles; the factory's GitHub App has no role and is bound. A token "
        "of a person's has that person's rights; for a machine user's, put a team of people in place of the roles.\n"
    )
