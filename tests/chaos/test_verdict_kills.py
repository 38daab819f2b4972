"""`kill -9` between reviews, seals and reveals: every verdict is sealed once, and none is revealed before all are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from end_to_end.yard import RandomTasks

from chaos.ground import CONFIG, TASKS, ChaosYard
from switchyard.gates.verdicts import check_seals
from switchyard.ledger import ArtifactStore

PASS = 'echo \'{\\"verdict\\": \\"pass\\", \\"summary\\": \\"Fine.\\"}\' > ~/result.json'
JUDGES = f"""[agent.first]
command = ["sh", "-c", "{PASS}", "first"]
[agent.second]
command = ["sh", "-c", "{PASS}", "second"]
[verify]
quality = "first"
security = "second"
canaries_per_run = 0
[sandbox]"""
JUDGING = {
    "verdict sealed": (
        "step reviewers 1 acted",
        "step review 1 quality acted",
        "step review 1 quality recorded",
        "transaction sealed 1 quality acted",
        "transaction sealed 1 security recorded",
        "transaction revealed 1 quality acted",
        "transaction revealed 1 quality recorded",
    )
}


@pytest.mark.sandbox
@pytest.mark.nightly
@pytest.mark.parametrize("point", JUDGING["verdict sealed"])
def test_a_kill_changes_nothing_about_who_could_have_read_what(tmp_path: Path, point: str) -> None:
    tasks = RandomTasks(depends_on={"a": []}, edits={"a": TASKS.edits["a"]})
    yard = ChaosYard(tmp_path / "yard", tasks, CONFIG.replace("[sandbox]", JUDGES))
    yard.kill_at(point)
    yard.run("run")
    events = yard.events()
    kinds = [event.event_type for event in events if event.event_type.startswith("verdict_")]
    assert kinds == ["verdict_sealed"] * 2 + ["verdict_revealed"] * 2
    assert check_seals(events, ArtifactStore(yard.state / "artifacts").get) == []
    (gate,) = [event.data for event in events if event.data.get("gate") == "verifiers"]
    assert gate["reason"] == "quality pass by `command`, security pass by `command`"
    assert [event.data["state"] for event in events if event.event_type == "task_finished"] == ["published"]
    assert json.loads(yard.run("sandbox", "list", "--json"))["sandboxes"] == []
