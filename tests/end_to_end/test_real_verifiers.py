"""Real command-line agents as reviewers: in their own sandboxes, through the gateway, on a scripted model."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.models import programs
from fakes.models.plan import Plan, Read, Say, Shell
from fakes.models.server import ScriptedModel, scripted_model
from switchyard_sandbox.gateway.place import find_running

from end_to_end.plot import CONFIG
from end_to_end.test_agents import KEY
from end_to_end.test_verifiers import Court
from switchyard.gates.verdicts import check_seals
from switchyard.ledger import ArtifactStore

pytestmark = [pytest.mark.sandbox, pytest.mark.nightly]
VERIFY = """\
[agent.claude]
kind = "claude"
model = "scripted"
[agent.codex]
kind = "codex"
model = "scripted"
[verify]
quality = "claude"
security = "codex"
minutes = 2
canaries_per_run = 0
[gateway]
openai = {{ url = "{url}", key_env = "MODEL_KEY" }}
anthropic = {{ url = "{url}", key_env = "MODEL_KEY" }}
[sandbox]
"""


def answer(verdict: str, title: str = "") -> Shell:
    findings = f'[{{"severity": "high", "title": "{title}"}}]' if title else "[]"
    text = f'{{"verdict": "{verdict}", "summary": "Looked at all of it.", "findings": {findings}, "confidence": 0.9}}'
    return Shell(f"echo '{text}' > ~/result.json")


# By the number that a task's text names; what is not valid is sent back once.
PLANS: tuple[Plan, ...] = (
    (Read("kept.txt"), answer("pass"), Say("It is fine.")),
    (Read("kept.txt"), answer("fail", "It drops the last one"), Say("It is wrong.")),
    (answer("perhaps"), Say("Done."), answer("pass"), Say("Mended.")),
    (answer("perhaps"), Say("Done."), answer("maybe"), Say("I can't.")),
    (Say("I approve of it."),),
)
NAMES = ("passing", "failing", "mending", "rambling", "silent")


class Manned(Court):
    """A plot whose reviewers are real programs."""

    folders: tuple[Path, ...] = ()

    @property
    def env(self) -> dict[str, str]:
        """With the key, and the programs on the PATH."""
        found = super().env
        return found | {"MODEL_KEY": KEY, "PATH": ":".join([*map(str, self.folders), found["PATH"]])}


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with scripted_model(*PLANS) as model:
        yield model


@pytest.fixture
def court(tmp_path: Path, model: ScriptedModel) -> Iterator[Manned]:
    folders = (programs.codex(), programs.claude())
    config = CONFIG.replace("[sandbox]\nmemory_mb = 512", VERIFY.format(url=model.url) + "memory_mb = 1536")
    made = Manned(tmp_path, files={"switchyard.toml": config})
    made.folders = folders
    yield made
    found = find_running(made.repo / ".git" / "switchyard" / "gateway")
    if found:
        os.kill(found.pid, signal.SIGTERM)


def test_real_reviewers_leave_verdicts_that_are_sealed_and_weighed(court: Manned) -> None:
    for number, name in enumerate(NAMES, 1):
        court.task(name, body=f"Keep it. This is attempt {number} of 5.")
    ending = court.run("run")
    rows = court.rows()
    published = {name for name, row in rows.items() if row["state"] == "published"}
    assert published == {"passing", "mending"}, ending.out + ending.err
    assert {name: court.said(name) for name in NAMES} == {
        "passing": "quality pass, security pass",
        "failing": "quality fail, security fail",
        "mending": "quality pass, security pass",
        "rambling": "quality none, security none",
        "silent": "quality none, security none",
    }
    for name, told in (("rambling", "verdict: Input should be"), ("silent", "there is no such file")):
        assert all(told in verdict["reason"] for verdict in court.verdicts(name).values())
    asked = {finding["asks"] for finding in court.gate("failing")["findings"]}
    assert asked == {"repair"}
    assert "by `claude scripted 2.1.329" in court.gate("passing")["reason"]
    verdicts = court.verdicts("passing")
    assert [verdicts[one]["judge"]["kind"] for one in ("quality", "security")] == ["claude", "codex"]
    assert "2.1.329" in verdicts["quality"]["program"]
    assert "0.169.0" in verdicts["security"]["program"]
    revealed = [row.data for row in court.rows_of() if row.event_type == "verdict_revealed"]
    assert len(revealed) == 2 * len(NAMES)
    assert all(data["models"][0]["requests"] for data in revealed)
    assert check_seals(court.rows_of(), ArtifactStore(court.state / "artifacts").get) == []
    kept = [place for place in court.folder.rglob("*") if place.is_file() and not place.is_symlink()]
    assert [place for place in kept if KEY.encode() in place.read_bytes()] == []
