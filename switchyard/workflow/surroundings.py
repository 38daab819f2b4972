"""What a check runs in: the sandbox as configured, or as one of the environments makes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from switchyard.config import Config
from switchyard.errors import WorkFailed


@dataclass(frozen=True)
class Surroundings:
    """Everything but the tree and the command that a check depends on."""

    env: Mapping[str, str]
    setup: tuple[str, ...]
    setup_network: tuple[str, ...]
    image: str
    """"": the driver's own."""
    kind: str

    def suite(self, command: str) -> str:
        """A digest: a check of another counts as another check."""
        env = sorted(self.env.items())
        parts = [command, self.kind, self.image, list(self.setup), list(self.setup_network), env]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def surroundings_of(config: Config, environment: str = "") -> Surroundings:
    """Those of an environment, or of the sandbox alone for "".

    Raises:
        WorkFailed: There is no such environment any more.
    """
    sandbox = config.sandbox
    if not environment:
        return Surroundings(sandbox.env, sandbox.setup, sandbox.setup_network, "", sandbox.kind)
    if environment not in config.environments:
        raise WorkFailed(
            f"no environment {environment!r} any more",
            hint=f"put [environments.{environment}] back into switchyard.toml",
        )
    chosen = config.environments[environment]
    return Surroundings(
        env={**sandbox.env, **chosen.env},
        setup=chosen.setup or sandbox.setup,
        setup_network=chosen.setup_network or sandbox.setup_network,
        image=chosen.image,
        kind=sandbox.kind,
    )
