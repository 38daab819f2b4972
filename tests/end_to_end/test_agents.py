"""Real command-line agents from task file to pull request: in the sandbox, through the gateway, on a scripted model."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.models import programs
from fakes.models.plan import Edit, Plan, Read, Say, Shell, Write
from fakes.models.server import ScriptedModel, scripted_model
from switchyard_sandbox.gateway.place import find_running

from end_to_end.plot import Ending, Plot

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
KEY = "sk-real-key-of-the-maintainer"
KEY_HEADERS, KEYED = ("authorization", "x-api-key", "x-goog-api-key"), {KEY, f"Bearer {KEY}", ""}
PLAN: Plan = (
    Read("kept.txt"),
    Edit("kept.txt", "kept", "kept well"),
    Write("added.txt", "added\n"),
    Shell("switchyard context --seed lib.py --format paths > seen.txt"),
    # Whole, the tokens of the attempt would be stopped as the secrets that they are.
    Shell("env | grep -oE '^[A-Z_]+_API_KEY=sy-' > $SWITCHYARD_TASK_ID.env"),
    Shell('echo \'{"summary": "Kept.", "confidence": 7}\' > ~/result.json'),
    Say("All done."),
    Shell('echo \'{"summary": "Kept.", "discovered": [{"title": "Dust"}]}\' > ~/result.json'),
    Say("Mended."),
)
"""With an account of the work that is wrong at first."""
CONFIG = """\
[agent.codex]
kind = "codex"
model = "scripted"
[agent.claude]
kind = "claude"
model = "scripted"
[agent.gemini]
kind = "acp"
model = "gemini-2.5-flash"
command = ["gemini", "--acp", "--approval-mode", "yolo", "-m", "{{model}}"]
[gateway]
gemini = {{ url = "{url}", key_env = "MODEL_KEY" }}
openai = {{ url = "{url}", key_env = "MODEL_KEY" }}
anthropic = {{ url = "{url}", key_env = "MODEL_KEY" }}
[sandbox]
memory_mb = 1536
disk_mb = 256
timeout_minutes = 2
allow_degraded = true
[checks]
kept = "grep -q 'kept well' kept.txt && test -e added.txt"
[limits]
concurrency = 3
repairs = 0
"""


class Staffed(Plot):
    """A plot whose maintainer has a key and the agents installed."""

    folders: tuple[Path, ...] = ()

    @property
    def env(self) -> dict[str, str]:
        """With the key, and the agents on the PATH."""
        found = super().env
        return found | {"MODEL_KEY": KEY, "PATH": ":".join([*map(str, self.folders), found["PATH"]])}

    def data(self, kind: str) -> dict[str, dict[str, Any]]:
        """By task, the data of its last row of a kind in the ledger."""
        events = self.run("ledger", "tail", "--json", "-n", "1000").events
        return {row["task_id"]: row["data"] for row in events if row["event_type"] == kind}


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with scripted_model(PLAN) as model:
        yield model


@pytest.fixture
def plot(tmp_path: Path, model: ScriptedModel) -> Iterator[Staffed]:
    folders = (programs.codex(), programs.claude(), programs.gemini())
    made = Staffed(tmp_path, files={"switchyard.toml": CONFIG.format(url=model.url), "lib.py": "import os\n"})
    made.folders = folders
    yield made
    found = find_running(made.repo / ".git" / "switchyard" / "gateway")
    if found:
        os.kill(found.pid, signal.SIGTERM)


def test_real_agents_work_from_task_file_to_pull_request(plot: Staffed, model: ScriptedModel) -> None:
    plot.task("by-codex", "agent: codex", body="Keep it well. MODE=orphaning")
    plot.task("by-claude", "agent: claude", body="Keep it well.")
    plot.task("by-gemini", "agent: gemini", body="Keep it well.")
    ending = plot.run("run")
    assert ending.code == 0, ending.out + ending.err
    extracted, rows, branches = plot.data("attempt_extracted"), plot.rows(), plot.branches()
    for agent, provider in (("codex", "OPENAI"), ("claude", "ANTHROPIC"), ("gemini", "GEMINI")):
        task = f"by-{agent}"
        assert plot.changes(task) == ["A added.txt", f"A {task}.env", "M kept.txt", "A seen.txt"]
        assert "lib.py" in plot.git("show", f"{branches[task]}:seen.txt", at=plot.origin)
        assert f"{provider}_API_KEY=sy-" in plot.git("show", f"{branches[task]}:{task}.env", at=plot.origin)
        told, (used,) = extracted[task]["told"], extracted[task]["models"]
        resumes = agent != "gemini"
        assert (told["ok"], told["reason"], told["turns"]) == (True, "", 2 if resumes else 1)
        left = extracted[task]["result"]
        assert (left["summary"], left["discovered"]) == (("Kept.", 1) if resumes else ("", 0))
        assert ("confidence: Input should be less than or equal to 1" in left["fault"]) is not resumes
        assert told["events"]["tool_call"] >= 4
        assert used["endpoint"] == provider.lower()
        if resumes:
            assert (told["input_tokens"], told["output_tokens"]) == (used["input_tokens"], used["output_tokens"])
        assert rows[task]["pull_request"]["state"] == "open"
    assert {asked.headers.get(name, "") for asked in model.asked for name in KEY_HEADERS} <= KEYED
    kept = [place for place in plot.folder.rglob("*") if place.is_file() and not place.is_symlink()]
    assert [place for place in kept if KEY.encode() in place.read_bytes()] == []
    assert orphans() == []


MODES = {
    "unauthorized": "did not accept the key",
    "failing": "",
    "truncated": "stream",
    "hanging": "ended by the timeout limit",
    "looping": "ended by the timeout limit",
}
SURVIVES = {"codex": set[str](), "claude": {"truncated"}}
"""Claude asks again without a stream where one breaks off."""


@pytest.mark.nightly
@pytest.mark.parametrize("agent", ["codex", "claude"])
def test_a_model_that_fails_ends_with_a_person_who_is_told_why(plot: Staffed, agent: str) -> None:
    for mode in MODES:
        plot.task(mode, f"agent: {agent}", "budget: {minutes: 0.3}", body=f"Keep it well. MODE={mode}")
    ending: Ending = plot.run("run", "--json")
    rows = plot.rows()
    assert {task for task, row in rows.items() if row["state"] == "published"} == SURVIVES[agent], json.dumps(rows)
    assert ending.code == 1
    for mode, why in MODES.items():
        if mode not in SURVIVES[agent]:
            assert rows[mode]["state"] == "needs_person"
            assert why in str(plot.data("attempt_extracted")[mode]["told"]["reason"])
    assert plot.run("sandbox", "list", "--json").document["sandboxes"] == []


def orphans() -> list[str]:
    """The processes that the plan of `orphaning` leaves behind, wherever they are."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", b"3017"]:
            found.append(place.parent.name)
    return found
