"""`kill -9` around every effect: the next run ends like an undisturbed one, with nothing done twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chaos.ground import PAIR, ChaosYard, Outcome
from chaos.test_landing_kills import LANDING
from chaos.test_verdict_kills import JUDGING

DESIGN = Path(__file__).parents[2] / "docs" / "design.md"


@dataclass(frozen=True)
class Kill:
    """Where the process dies, and how many boxes agents then need in all: three, and a fourth if one was lost."""

    point: str
    nth: int = 1
    agent_boxes: int = 3


# Each row of the table of effects: before the act, after the act but before its record, after the record.
# The points of a step are those of the first task, unless `nth` says otherwise; the third push is that of the join.
KILLS: dict[str, tuple[Kill, ...]] = {
    "run recorded": (
        Kill("write before"),
        Kill("write acted"),
        Kill("write recorded"),
        Kill("enqueue before"),
        Kill("enqueue recorded", nth=2),
    ),
    "tree prepared": (
        Kill("mkdir */checkouts"),
        Kill("rename */checkouts/*"),
        Kill("driver.create before"),
    ),
    "branch claimed": (
        Kill("quarantine.update_refs before"),
        Kill("quarantine.update_refs after"),
        Kill("step ground recorded"),
    ),
    "sandbox created": (
        Kill("rename */boxes/box-*"),
        Kill("mkdir */boxes/*/inbox"),
        Kill("driver.create after"),
        Kill("write recorded", nth=2, agent_boxes=4),
    ),
    "agent process": (
        Kill("driver.execute before", agent_boxes=4),
        Kill("agent running", agent_boxes=4),
        Kill("driver.execute after", agent_boxes=4),
    ),
    "result extracted": (
        Kill("quarantine.update_refs before", nth=2, agent_boxes=4),
        Kill("quarantine.update_refs after", nth=2),
        Kill("step attempt 1 acted"),
        Kill("step attempt 1 recorded"),
        Kill("transaction complete attempt 1 recorded"),
    ),
    "check run": (
        Kill("step check 1 intact before"),
        Kill("driver.create after", nth=2),
        Kill("step check 1 intact acted"),
        Kill("step check 1 intact recorded"),
    ),
    "artifact written": (
        Kill("artifacts.put before", nth=2),
        Kill("rename */artifacts/sha256/*", nth=2),
        Kill("artifacts.put after", nth=2),
        Kill("step context recorded"),
    ),
    "branch pushed": (
        Kill("quarantine.push before", nth=3),
        Kill("quarantine.push after", nth=3),
        Kill("step push recorded", nth=3),
        Kill("transaction complete branch * recorded", nth=3),
    ),
    "pull request opened": (
        Kill("forge.open before", nth=3),
        Kill("rename */forge/3.json"),
        Kill("forge.open after", nth=3),
        Kill("step open recorded", nth=3),
        Kill("transaction complete pull_request * recorded", nth=3),
    ),
    "pull request edited": (
        Kill("forge.edit before", nth=2),
        Kill("forge.edit after", nth=2),
        Kill("step map recorded"),
    ),
    "statement signed": (
        Kill("step sign before", nth=3),
        Kill("step sign acted", nth=3),
        Kill("step sign recorded", nth=3),
        Kill("transaction signed recorded", nth=3),
    ),
    "ledger row": (
        Kill("transaction claim before"),
        Kill("transaction claim acted"),
        Kill("transaction claim recorded"),
        Kill("transaction finish acted", nth=3),
        Kill("transaction run finished acted"),
        Kill("transaction run finished recorded"),
    ),
}
# A stack whose lowest branch a person amended: what a run does first, and what it writes down around it.
KEEPING: dict[str, tuple[Kill, ...]] = {
    "stack kept right": (
        Kill("quarantine.push after"),
        Kill("write recorded", nth=2),
        Kill("quarantine.update_refs after"),
        Kill("quarantine.push before"),
        Kill("quarantine.update_refs before", nth=2),
        Kill("quarantine.update_refs after", nth=2),
        Kill("write acted", nth=4),
        Kill("write recorded", nth=4),
    ),
}
# Two tasks whose agents find the same: one draft, and one row that says so.
FILING: dict[str, tuple[Kill, ...]] = {
    "finding filed": (
        Kill("step file findings before"),
        Kill("link */tasks/*"),
        Kill("step file findings acted"),
        Kill("step file findings recorded"),
        Kill("transaction complete finding 1 recorded"),
        Kill("step file findings acted", nth=2),
    ),
}
FOUND = """{"summary": "Done.", "discovered": [{"title": "The slots are never full", "paths": ["file0.txt"]}]}"""
_EACH_CHANGE = 7
"""Of how many effects one is tried with each change."""
CASES = [
    pytest.param(
        kill,
        id=f"{row}: {kill.point} {kill.nth}",
        # Each change tries one moment of every seventh effect, each night all of them.
        marks=pytest.mark.nightly if number or place % _EACH_CHANGE else pytest.mark.slow,
    )
    for place, (row, kills) in enumerate(KILLS.items())
    for number, kill in enumerate(kills)
]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What an undisturbed run of the real command comes to."""
    yard = ChaosYard(tmp_path_factory.mktemp("calm") / "yard")
    yard.run("run")
    assert yard.agent_boxes() == 3
    return yard.outcome()


def test_every_effect_in_the_design_is_killed_before_between_and_after() -> None:
    lines = DESIGN.read_text().partition("\n## Effects\n")[2].partition("\n## ")[0].splitlines()
    rows = [line.split("|")[1].strip() for line in lines if line.startswith("|")][2:]
    groups = (KILLS, KEEPING, FILING, LANDING, JUDGING)
    assert sorted(rows) == sorted(row for group in groups for row in group)
    assert all(len(kills) >= 3 for group in groups for kills in group.values())


@pytest.mark.sandbox
@pytest.mark.parametrize("kill", CASES)
def test_a_run_killed_once_goes_on_where_it_was(tmp_path: Path, calm: Outcome, kill: Kill) -> None:
    yard = ChaosYard(tmp_path / "yard")
    yard.kill_at(kill.point, kill.nth)

    yard.run("run")

    assert yard.outcome() == calm
    assert yard.agent_boxes() == kill.agent_boxes
    yard.assert_sound()


@pytest.fixture(scope="module")
def amended(tmp_path_factory: pytest.TempPathFactory) -> ChaosYard:
    """A published stack of which a person amended the lowest branch."""
    yard = ChaosYard(tmp_path_factory.mktemp("amended") / "yard")
    yard.run("run")
    yard.amend("a")
    return yard


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "kill",
    [
        pytest.param(kill, id=f"{kill.point} {kill.nth}", marks=pytest.mark.nightly if number else pytest.mark.slow)
        for number, kill in enumerate(KEEPING["stack kept right"])
    ],
)
def test_a_stack_whose_keeper_was_killed_is_put_right_by_the_next_run(
    tmp_path: Path, amended: ChaosYard, kill: Kill
) -> None:
    yard = amended.copied(tmp_path / "yard")
    yard.kill_at(kill.point, kill.nth)

    yard.run("run")

    there = yard.heads()
    rows = yard.status()
    assert {name: rows[name]["head"] for name in "abc"} == {name: there[name] for name in "abc"}
    assert yard.git("log", "--format=%s", f"{there['c']}").split("\n").count("Amended") == 1
    told = [event.task_id for event in yard.events() if event.event_type == "restacked" and event.task_id]
    assert (sorted(told), yard.open_effects()) == (["a", "c"], 0)
    assert all(count <= 2 for count in yard.pushes().values()), "no branch moved twice"
    yard.run("ledger", "verify")
    rows_before = len(yard.events())
    yard.run("run")
    assert (yard.heads(), len(yard.events())) == (there, rows_before)


def finding_yard(folder: Path) -> ChaosYard:
    """A yard of two tasks whose agents leave the same finding."""
    yard = ChaosYard(folder, PAIR)
    script = (yard.repo / ".agents" / "edit.sh").read_text()
    yard.commit({".agents/edit.sh": f"{script}cat > ~/result.json <<'END'\n{FOUND}\nEND\n"})
    return yard


def without_drafts(outcome: Outcome) -> Outcome:
    """The outcome of the run's own tasks; a draft's id tells the run."""
    return replace(outcome, tasks={name: row for name, row in outcome.tasks.items() if row[0] != "draft"})


def drafts(yard: ChaosYard) -> list[str]:
    """The drafts of the tracker, as text."""
    files = (yard.repo / ".switchyard" / "tasks").glob("the-slots-*.md")
    return [file.read_text().partition("title:")[2] for file in files]


@pytest.mark.sandbox
@pytest.mark.nightly
@pytest.mark.parametrize(
    "kill", [pytest.param(kill, id=f"{kill.point} {kill.nth}") for kill in FILING["finding filed"]]
)
def test_a_finding_whose_filing_was_killed_is_filed_once(tmp_path: Path, kill: Kill) -> None:
    calm, yard = finding_yard(tmp_path / "calm"), finding_yard(tmp_path / "killed")
    calm.run("run")
    yard.kill_at(kill.point, kill.nth)

    yard.run("run")

    assert without_drafts(yard.outcome()) == without_drafts(calm.outcome())
    assert len(drafts(yard)) == 1
    assert drafts(yard) == drafts(calm)
    assert yard.open_effects() == 0
