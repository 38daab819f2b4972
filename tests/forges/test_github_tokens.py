"""Tokens come from where people keep them, are asked for again when they expire, and show up nowhere."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest
from fakes.github.faults import Fault
from fakes.github.fixtures import GitHubService
from fakes.github.ground import Ground
from fakes.github.service import APP_ID
from switchyard_git import Repository
from switchyard_merge import ForgeRefused, ForgeUnavailable, MergeError, RateLimited
from switchyard_merge.forge import NewPullRequest
from switchyard_merge.forge.github import AppInstallation, FixedToken, GhCliToken, GitHubAddress, choose_tokens

NEW = NewPullRequest("Title", "Body\n", "factory/r/a", "main")


def gh(folder: Path, script: str) -> dict[str, str]:
    """An environment whose `gh` is a script."""
    program = folder / "bin" / "gh"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:/usr/bin:/bin"}


def app(github: Ground, service: GitHubService) -> AppInstallation:
    return AppInstallation(github.address, str(APP_ID), service.app_key, now=lambda: github.time.now_s)


def mints(github: Ground) -> int:
    return sum("access_tokens" in request.path for request in github.faults.seen)


def test_github_token_goes_before_gh(tmp_path: Path) -> None:
    address = GitHubAddress("o", "r")
    environment = gh(tmp_path, "echo from-gh")
    assert choose_tokens(address, environment).token() == "from-gh"
    assert choose_tokens(address, environment | {"GITHUB_TOKEN": " from-env\n"}).token() == "from-env"
    with pytest.raises(ForgeRefused, match="GITHUB_TOKEN") as caught:
        choose_tokens(address, {"GITHUB_TOKEN": "  "})
    assert "gh auth login" in caught.value.hint


def test_gh_is_asked_for_the_right_host_and_again_when_its_token_was_refused(tmp_path: Path) -> None:
    environment = gh(tmp_path, f'echo "$@" >> {tmp_path}/asked; cat {tmp_path}/token')
    (tmp_path / "token").write_text("first\n")
    tokens = choose_tokens(GitHubAddress.parse("https://git.example.org/o/r"), environment)
    assert (tokens.token(), tokens.token()) == ("first", "first")
    assert (tmp_path / "asked").read_text() == "auth token --hostname git.example.org\n"
    assert tokens.renew() is False
    (tmp_path / "token").write_text("second\n")
    assert tokens.renew() is True
    assert tokens.token() == "second"


@pytest.mark.parametrize("script", ["echo no oauth token >&2; exit 1", "true"])
def test_gh_without_a_token_says_what_to_do(tmp_path: Path, script: str) -> None:
    with pytest.raises(ForgeRefused, match=r"github\.com") as caught:
        GhCliToken("github.com", gh(tmp_path, script)).token()
    assert "GITHUB_TOKEN" in caught.value.hint


def test_a_machine_without_gh_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ForgeRefused, match="could not be asked") as caught:
        GhCliToken("github.com", {"PATH": str(tmp_path)}).token()
    assert "GITHUB_TOKEN" in caught.value.hint


def test_a_refused_token_is_told_and_not_repeated(github: Ground) -> None:
    github.faults.expired.add("tok_owner")
    with pytest.raises(ForgeRefused, match="Bad credentials") as caught:
        github.forge().list()
    assert "GITHUB_TOKEN" in caught.value.hint
    assert len(github.faults.seen) == 1


def test_an_app_mints_a_token_for_what_the_factory_does(github: Ground, github_service: GitHubService) -> None:
    tokens = app(github, github_service)
    github.branch(NEW.head, parent="main")
    forge = github.forge(tokens)
    assert forge.get(forge.open(NEW).number).state == "open"
    assert mints(github) == 1
    assert {request.token for request in github.faults.seen if "/pulls" in request.path} == {tokens.token()}


def test_an_app_mints_another_before_its_token_expires(github: Ground, github_service: GitHubService) -> None:
    tokens = AppInstallation(github.address, str(APP_ID), github_service.app_key, now=lambda: clock[0])
    clock = [time.time()]
    first = tokens.token()
    clock[0] += 54 * 60
    assert tokens.token() == first
    clock[0] += 2 * 60
    assert tokens.token() != first
    assert mints(github) == 2


def test_a_token_that_expires_midway_is_replaced(github: Ground, github_service: GitHubService, tmp_path: Path) -> None:
    tokens = app(github, github_service)
    github.branch(NEW.head, parent="main")
    forge = github.forge(tokens)
    number = forge.open(NEW).number
    github.faults.expired.add(tokens.token())
    assert forge.edit(number, title="Later").title == "Later"
    factory = Repository.init_bare(tmp_path / "factory.git").with_access(github.access(tokens))
    assert len(factory.ls_remote(github.url)) == 2
    assert len(github.pulls()) == 1


def test_an_app_that_is_not_installed_there_says_so(github: Ground, github_service: GitHubService) -> None:
    elsewhere = GitHubAddress("octocat", "absent", github.address.api_url)
    with pytest.raises(ForgeRefused, match="octocat/absent") as caught:
        AppInstallation(elsewhere, str(APP_ID), github_service.app_key).token()
    assert "installed" in caught.value.hint


def test_an_app_with_no_usable_key_says_so(github: Ground) -> None:
    with pytest.raises(ForgeRefused, match="no usable key") as caught:
        AppInstallation(github.address, str(APP_ID), "-----BEGIN NONSENSE-----").token()
    assert "PEM" in caught.value.hint


def test_an_app_whose_forge_is_away_is_unavailable(github: Ground, github_service: GitHubService) -> None:
    github.faults.add(Fault("POST", "access_tokens", status=503))
    with pytest.raises(ForgeUnavailable):
        app(github, github_service).token()
    github.faults.add(Fault("POST", "access_tokens"))
    with pytest.raises(ForgeUnavailable):
        app(github, github_service).token()


def test_an_app_that_mints_too_often_is_told_when_to_come_back(github: Ground, github_service: GitHubService) -> None:
    github.faults.add(Fault("POST", "access_tokens", status=403, message="slow", headers={"Retry-After": "42"}))
    with pytest.raises(RateLimited) as caught:
        app(github, github_service).token()
    assert caught.value.retry_after_s == 42


def test_without_the_library_the_hint_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['github'] = None\n"
        "from switchyard_merge import ForgeRefused\n"
        "from switchyard_merge.forge.github import Calls, FixedToken, GitHubAddress\n"
        "try: Calls(GitHubAddress('o', 'r'), FixedToken('t'))\n"
        "except ForgeRefused as err: print(err.hint)\n"
    )
    done = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, check=True)
    assert done.stdout == "pip install 'switchyard-factory[github]'\n"


def test_no_log_error_or_description_shows_a_token(
    github: Ground, github_service: GitHubService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = app(github, github_service)
    github.branch(NEW.head, parent="main")
    told = [repr(tokens), repr(FixedToken("tok_owner")), repr(github.access()), repr(github.calls())]
    for provider in (tokens, FixedToken("tok_owner")):
        forge = github.forge(provider)
        forge.find(NEW.head) or forge.open(NEW)
        for fault in (Fault("GET", ".", times=9), Fault("GET", ".", status=403, message="no")):
            github.faults.add(fault)
            try:
                forge.list()
            except MergeError as err:
                told += [*traceback.format_exception(err), err.hint]
            github.faults.clear()
    shown = "".join([caplog.text, *(wait.reason for wait in github.waits), *told])
    assert "pulls" in caplog.text, "nothing was logged, so nothing was tested"
    for secret in (tokens.token(), "tok_owner", github_service.app_key[40:80]):
        assert secret not in shown
    assert tokens.token() not in str(os.environ)
