"""Which image a box is made from."""

from __future__ import annotations

import json

import pytest
from sandbox.boxes import DOCKER, Ground
from switchyard_sandbox import Command, IsolationUnavailable
from switchyard_sandbox.docker.client import Client, connect
from switchyard_sandbox.docker.driver import DockerDriver
from switchyard_sandbox.docker.images import BASE, NODE_BASE, build, resolve

from .engine import needs_engine


@needs_engine
class TestImages:
    def test_an_image_that_is_not_there_is_named(self, ground: Ground, commit: str) -> None:
        driver = DockerDriver(ground.state, image="no.such.registry.invalid/nothing:1", base_url=DOCKER)
        with pytest.raises(IsolationUnavailable, match="nothing:1"):
            driver.create(ground.spec(commit))

    def test_a_base_that_cannot_be_fetched_is_named(self, ground: Ground, commit: str) -> None:
        """The tests' engine has no network, and lacks the base; given that, our own image is built and used."""
        driver = DockerDriver(ground.state, base_url=DOCKER)
        with pytest.raises(IsolationUnavailable, match=f"built on {BASE}") as refused:
            driver.create(ground.spec(commit))
        assert f"give the engine {BASE}" in refused.value.hint
        with connect(DOCKER) as client:
            client.sdk.images.get("switchyard-test").tag(BASE)
            try:
                box = driver.create(ground.spec(commit))
                assert driver.execute(box, Command(("git", "rev-parse", "HEAD"))).stdout.decode() == f"{commit}\n"
                driver.destroy(box)
            finally:
                client.sdk.images.remove(BASE)

    def test_an_image_of_ours_has_the_configured_agents_in_it(
        self, ground: Ground, client: Client, commit: str
    ) -> None:
        """The tests' engine has no network: its npm makes a program that tells what it was to install."""
        npm = "#!/bin/sh\necho echo $* > /usr/bin/agent\n"
        install = f"import pathlib; npm = pathlib.Path('/usr/bin/npm'); npm.write_text({npm!r}); npm.chmod(0o755)"
        base = build(client, f"FROM switchyard-test\nRUN {json.dumps(['python3', '-c', install])}", {})
        client.sdk.images.get(base.id).tag(NODE_BASE)
        try:
            image = resolve(client, "", ("@openai/codex@1.2.3",))
            assert resolve(client, "", ("@openai/codex@1.2.3",)).id == image.id
            assert resolve(client, "", ("@openai/codex@1.2.4",)).id != image.id
            driver = DockerDriver(ground.state, packages=("@openai/codex@1.2.3",), base_url=DOCKER)
            box = driver.create(ground.spec(commit))
            said = driver.execute(box, Command(("sh", "/usr/bin/agent"))).stdout.decode()
            driver.destroy(box)
        finally:
            client.sdk.images.remove(NODE_BASE)
        assert said == "install --global --no-audit --no-fund @openai/codex@1.2.3\n"
