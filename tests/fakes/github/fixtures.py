"""Fixtures for tests on a GitHub of our own; a conftest imports those that it needs."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fakes.github.ground import Ground, ground
from fakes.github.service import emulated

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class GitHubService:
    """A running server, and the key of the App that is installed there."""

    address: str
    app_key: str


@pytest.fixture(scope="session")
def github_service() -> Iterator[GitHubService]:
    """One server for all tests of a session; each test gets a repository of its own."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    with emulated(pem) as address:
        yield GitHubService(address, pem)


@pytest.fixture
def github(github_service: GitHubService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """A repository with a branch main."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(home))
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_", "GITHUB_", "GH_"))]:
        monkeypatch.delenv(name)
    with ground(github_service.address, tmp_path, f"mono-{next(_NUMBERS)}") as made:
        yield made
