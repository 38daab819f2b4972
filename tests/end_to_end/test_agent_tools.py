"""Real agents use the tools that their table asks for, and hear of the guides that their programs do not load."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.models import programs
from fakes.models.plan import Plan, Say, Shell, Use
from fakes.models.server import ScriptedModel, scripted_model
from switchyard_sandbox.gateway.place import find_running

from end_to_end.test_agents import CONFIG, Staffed

pytestmark = [pytest.mark.sandbox, pytest.mark.nightly]
PLAN: Plan = (
    # Codex goes to work while its servers are still starting.
    Shell("echo 'kept well' > kept.txt; echo added > added.txt; sleep 8"),
    Use("context", {"paths": ["lib.py"], "show": "impact"}),
    Use("discovered", {"title": "Dust under the engine", "paths": ["lib.py"]}),
    Shell("cat ~/result.json > seen.json"),
    Say("All done."),
)


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with scripted_model(PLAN) as model:
        yield model


@pytest.fixture
def plot(tmp_path: Path, model: ScriptedModel) -> Iterator[Staffed]:
    config = CONFIG.format(url=model.url).replace('model = "scripted"\n', 'model = "scripted"\nmcp = true\n')
    files = {"switchyard.toml": config, "lib.py": "import os\n", "app.py": "import lib\n", "AGENTS.md": "Be kind.\n"}
    made = Staffed(tmp_path, files=files)
    made.folders = (programs.codex(), programs.claude(), programs.gemini())
    yield made
    found = find_running(made.repo / ".git" / "switchyard" / "gateway")
    if found:
        os.kill(found.pid, signal.SIGTERM)


@pytest.mark.parametrize(("agent", "is_told"), [("claude", True), ("codex", False)])
def test_an_agent_asks_and_tells_by_its_tools(plot: Staffed, model: ScriptedModel, agent: str, is_told: bool) -> None:
    plot.task("one", f"agent: {agent}")
    ending = plot.run("run")
    assert ending.code == 0, (ending.err, sorted({name for asked in model.asked for name in asked.tools}))
    assert plot.data("attempt_extracted")["one"]["result"]["discovered"] == 1
    assert plot.data("finding_filed")["one"]["title"] == "Dust under the engine"
    said = "\n".join(asked.text for asked in model.asked)
    assert "app.py" in said
    assert ("`AGENTS.md` is there, and your program does not load it" in said) is is_told
    if agent == "codex":
        assert "Be kind." in said, "it loads the guide itself"
