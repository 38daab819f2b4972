"""What the token may do is told before it is needed, and the ruleset's command can be run as it stands."""

from __future__ import annotations

import fnmatch
import json
import re

from fakes.github.faults import Fault
from fakes.github.ground import Ground
from switchyard_merge.forge.github import FixedToken, GitHubAddress, check_token, ruleset_advice


def test_the_owners_token_may_all_and_a_smaller_one_is_advised(github: Ground) -> None:
    found = check_token(github.calls())
    assert (found.may_read, found.may_push, found.is_admin, found.problems) == (True, True, True, ())
    assert any("fine-grained" in advice for advice in found.advice)
    assert [request.method for request in github.faults.seen] == ["GET"]


def test_a_token_that_may_not_see_the_repository_is_a_problem(github: Ground) -> None:
    github.faults.add(Fault("GET", ".", status=404, message="Not Found"))
    found = check_token(github.calls())
    assert (found.may_read, found.may_push) == (False, False)
    assert "private repository" in found.problems[0]


def test_a_token_that_may_only_read_is_a_problem(github: Ground) -> None:
    found = check_token(github.calls(FixedToken("tok_stranger")))
    assert (found.may_read, found.may_push) == (True, False)
    assert "write access to contents" in found.problems[0]


def test_the_ruleset_binds_everything_but_the_factorys_branches() -> None:
    advice = ruleset_advice(GitHubAddress("octo", "mono"))
    assert "gh api --method POST repos/octo/mono/rulesets --input -" in advice
    ruleset = json.loads(advice[advice.index("{") : advice.index("\nRULESET\n")])
    assert (ruleset["enforcement"], ruleset["target"]) == ("active", "branch")
    names = ruleset["conditions"]["ref_name"]
    assert names["include"] == ["~ALL"]
    pattern = names["exclude"][0].replace("**/*", "*")
    assert fnmatch.fnmatch("refs/heads/factory/run/task", pattern)
    assert not fnmatch.fnmatch("refs/heads/main", pattern)
    # "update" would forbid merging, too: other branches change by pull request.
    assert {rule["type"] for rule in ruleset["rules"]} == {"creation", "deletion", "non_fast_forward", "pull_request"}


def test_an_enterprise_server_is_named_in_the_command() -> None:
    advice = ruleset_advice(GitHubAddress.parse("https://git.example.org/o/r"))
    assert re.search(r"gh api --hostname git\.example\.org --method POST", advice)
