"""The demo's tasks end to end in Docker's boxes: the same trees and pull requests as in embedded ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cloud.test_demo import work_on
from sandbox.boxes import DOCKER
from switchyard_sandbox.docker.client import connect
from switchyard_templates import EXPECTED

pytestmark = [pytest.mark.sandbox, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.skipif(not DOCKER, reason="no Docker engine to test with: run `make test-docker`")
def test_trees_and_pull_requests_are_those_of_embedded_boxes(tmp_path: Path) -> None:
    here = work_on(tmp_path / "here", "--sandbox", "embedded")
    boxed = work_on(tmp_path / "docker", "--sandbox", "docker", "--image", "switchyard-test", DOCKER_HOST=DOCKER)
    assert len(here[1]) > len(EXPECTED) / 2
    assert boxed[:2] == here[:2]
    assert sorted(map(json.dumps, boxed[2])) == sorted(map(json.dumps, here[2]))
    tasks = {pull["task"] for pull in boxed[2]}
    with connect(DOCKER) as client:
        left = [container.labels.get("switchyard.label.task") for container in client.sdk.containers.list(all=True)]
    assert [task for task in left if task in tasks] == []
