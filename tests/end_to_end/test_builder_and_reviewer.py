"""Two real agents on one task: Codex builds it, Claude judges it blindly, the pull request on GitHub's wire says so."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fakes.github.fixtures import github, github_service
from fakes.github.ground import Ground
from fakes.models import programs
from fakes.models.plan import Edit, Plan, Read, Say, Shell, Write
from fakes.models.server import ScriptedModel, scripted_model
from switchyard_sandbox.gateway.place import find_running

from end_to_end.github_plot import FORGE, GitHubPlot

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
__all__ = ["github", "github_service"]
SECRET_THOUGHT = "the builder thought of a walrus"
BUILDS: Plan = (
    Read("cart.py"),
    Edit("cart.py", "    return sum(prices)", "    return sum(prices) + 1"),
    Write("test_cart.py", "from cart import total\n\nassert total([2, 3]) == 6\n"),
    Shell(f"echo '{json.dumps({'summary': 'One more.', 'rationale': SECRET_THOUGHT})}' > ~/result.json"),
    Say("Built."),
)
MENDS: Plan = (Read("cart.py"), Edit("cart.py", "+ 1", "+ 0 + 1"), Say("Mended."))


def judges(verdict: str, *findings: dict[str, Any]) -> Plan:
    packet = {"schema": "switchyard.qa/1", "verdict": verdict, "summary": "I read cart.py.", "findings": findings}
    return (
        Read("cart.py"),
        Write("cart.py", "spoilt\n"),
        Shell(f"echo '{json.dumps(packet)}' > ~/result.json"),
        Say("Said."),
    )


CONFIG = """\
[agent.codex]
kind = "codex"
model = "builder-1"
[agent.claude]
kind = "claude"
model = "reviewer-1"
[verify]
quality = "claude"
canaries_per_run = 0
[gateway]
openai = {{ url = "{builder}", key_env = "MODEL_KEY" }}
anthropic = {{ url = "{reviewer}", key_env = "MODEL_KEY" }}
[sandbox]
memory_mb = 1536
disk_mb = 256
timeout_minutes = 2
allow_degraded = true
[checks]
cart = "python3 test_cart.py"
[limits]
repairs = 1
"""


class Reviewed(GitHubPlot):
    """A plot on GitHub with a maintainer's key, and both agents installed."""

    def lay_out(self, builder: ScriptedModel, reviewer: ScriptedModel) -> None:
        config = CONFIG.format(builder=builder.url, reviewer=reviewer.url)
        self.write("switchyard.toml", config + FORGE.format(api=self.github.proxy.address))
        self.write("cart.py", "def total(prices):\n    return sum(prices)\n")
        self.write("test_cart.py", "from cart import total\n\nassert total([2, 3]) >= 5\n")
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "A cart")
        self.git("push", "-q", str(self.github.repository.git_dir), "+HEAD:main")
        path = ":".join([str(programs.codex()), str(programs.claude()), os.environ["PATH"]])
        self.extra |= {"MODEL_KEY": "sk-of-the-maintainer", "PATH": path}
        self.task("one-more", "agent: codex", "allow: [tests]", body="Charge one more.")

    def told(self, kind: str) -> list[dict[str, Any]]:
        rows = self.run("ledger", "tail", "--json", "-n", "1000").events
        return [{**row["data"], "seq": row["seq"]} for row in rows if row["event_type"] == kind]


@pytest.fixture
def models() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def plot(tmp_path: Path, github: Ground) -> Iterator[Reviewed]:
    made = Reviewed(tmp_path, github)
    yield made
    found = find_running(made.repo / ".git" / "switchyard" / "gateway")
    if found:
        os.kill(found.pid, signal.SIGTERM)


def test_one_agent_builds_and_another_judges_and_the_pull_request_shows_it(plot: Reviewed, models: ExitStack) -> None:
    builder, reviewer = (
        models.enter_context(scripted_model(BUILDS)),
        models.enter_context(scripted_model(judges("pass"))),
    )
    plot.lay_out(builder, reviewer)
    ending = plot.run("run")
    assert ending.code == 0, ending.out + ending.err
    (pull,) = plot.github.pulls()
    assert plot.changes("one-more") == ["M cart.py", "M test_cart.py"]
    body = pull["body"]
    for said in ("I read cart.py.", "quality pass by `claude reviewer-1", "weakening", "base-tests", "One more."):
        assert said in body, body
    (sealed,), (revealed,) = plot.told("verdict_sealed"), plot.told("verdict_revealed")
    assert sealed["seq"] < revealed["seq"] and sealed["seal"] == revealed["seal"]
    assert (revealed["agent"], revealed["model"], revealed["verdict"]) == ("claude", "reviewer-1", "pass")
    assert [used["endpoint"] for used in revealed["models"]] == ["anthropic"]
    assert {asked.path.startswith("/v1/messages") for asked in reviewer.asked} == {True}
    assert SECRET_THOUGHT in "".join(asked.text for asked in builder.asked)
    assert SECRET_THOUGHT not in "".join(asked.text for asked in reviewer.asked)
    claims = plot.run("show", "one-more", "--evidence", "--json").document["claims"]
    assert "fails" not in {claim["outcome"] for claim in claims}, claims
    assert plot.run("show", "one-more", "--verify").code == 0


@pytest.mark.nightly
def test_what_the_other_agent_rejects_is_not_published(plot: Reviewed, models: ExitStack) -> None:
    wrong = {"severity": "high", "title": "One too many", "detail": "Nobody asked.", "path": "cart.py", "line": 2}
    builder = models.enter_context(scripted_model(BUILDS, MENDS))
    plot.lay_out(builder, models.enter_context(scripted_model(judges("fail", wrong))))
    assert plot.run("run").code == 1
    row = plot.rows()["one-more"]
    assert (row["state"], plot.github.pulls()) == ("needs_person", [])
    assert "One too many" in row["needs_person"]["reason"]
