"""A remote's URL says which repository is meant, and where its API is."""

from __future__ import annotations

import pytest
from switchyard_merge import ForgeRefused
from switchyard_merge.forge.github import GitHubAddress


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/octo-org/mono.repo",
        "https://github.com/octo-org/mono.repo.git",
        "https://github.com/octo-org/mono.repo/",
        "https://ada:secret@github.com/octo-org/mono.repo.git",
        "https://www.github.com/octo-org/mono.repo",
        "http://github.com/octo-org/mono.repo",
        "git@github.com:octo-org/mono.repo.git",
        "git@github.com:octo-org/mono.repo",
        "github.com:octo-org/mono.repo.git",
        "ssh://git@github.com/octo-org/mono.repo.git",
        "ssh://git@ssh.github.com:443/octo-org/mono.repo.git",
        "git://github.com/octo-org/mono.repo",
        "git+ssh://git@github.com/octo-org/mono.repo",
        "octo-org/mono.repo",
    ],
)
def test_every_form_of_url_names_the_same_repository(url: str) -> None:
    address = GitHubAddress.parse(url)
    assert (address.full_name, address.api_url) == ("octo-org/mono.repo", "https://api.github.com")
    assert address.clone_url == "https://github.com/octo-org/mono.repo.git"


@pytest.mark.parametrize(
    ("url", "api_url"),
    [
        ("https://git.example.org/o/r.git", "https://git.example.org/api/v3"),
        ("https://git.example.org:8443/o/r.git", "https://git.example.org:8443/api/v3"),
        ("git@git.example.org:o/r.git", "https://git.example.org/api/v3"),
        ("ssh://git@git.example.org:2222/o/r.git", "https://git.example.org/api/v3"),
    ],
)
def test_an_enterprise_server_has_its_own_api(url: str, api_url: str) -> None:
    address = GitHubAddress.parse(url)
    assert (address.full_name, address.api_url) == ("o/r", api_url)
    assert address.clone_url == f"{api_url.removesuffix('/api/v3')}/o/r.git"


def test_the_api_can_be_named() -> None:
    address = GitHubAddress.parse("o/r", api_url="https://git.example.org/api/v3/")
    assert (address.api_url, address.host_url) == ("https://git.example.org/api/v3", "https://git.example.org")


@pytest.mark.parametrize(
    "url",
    [
        "", "mono", "/srv/git/mono.git", "../mono", "file:///srv/git/o/r", "https://github.com/only",
        "https://github.com/a/b/c", "https://ada:secret@github.com/", "git@github.com:", "https://[broken/o/r",
        "o/..", "o/r?x=1", "C:\\o\\r",
    ],
)  # fmt: skip
def test_what_names_no_repository_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ForgeRefused) as caught:
        GitHubAddress.parse(url)
    assert "secret" not in str(caught.value)
    assert "owner/name" in caught.value.hint
