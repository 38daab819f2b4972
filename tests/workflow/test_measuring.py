"""Coverage and mutation in real sandboxes, with commands that stand for a test suite."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from switchyard_git import CommitSha
from switchyard_sandbox import EmbeddedDriver

from switchyard.config.gates import CoverageConfig, GatesConfig, MutationConfig
from switchyard.gates.change import Change
from switchyard.packets import GateResult
from switchyard.workflow.covering import cover
from switchyard.workflow.inspecting import read_change
from switchyard.workflow.mutating import mutate
from workflow.conftest import Yard

pytestmark = pytest.mark.sandbox
SOURCE = "def least(a, b):\n    if a < b:\n        return a\n    return b\n"


def report(executed: list[int], missing: list[int]) -> str:
    return json.dumps({"meta": {}, "files": {"least.py": {"executed_lines": executed, "missing_lines": missing}}})


@dataclass(frozen=True)
class Proof:
    """A yard whose sandboxes are real."""

    yard: Yard

    def commit(self, files: Mapping[str, str]) -> CommitSha:
        return self.yard.commit(self.yard.base, files)

    def change(self, commit: CommitSha) -> Change:
        return read_change(self.yard.factory.quarantine, self.yard.base, commit)

    def with_gates(self, gates: GatesConfig) -> Yard:
        config = self.yard.factory.config.model_copy(update={"gates": gates})
        return replace(self.yard, factory=replace(self.yard.factory, config=config))

    def cover(self, command: str, files: Mapping[str, str], **keys: object) -> GateResult:
        commit = self.commit({"least.py": SOURCE, **files})
        wanted = CoverageConfig.model_validate({"command": command, "report": "cov.json", **keys})
        yard = self.with_gates(GatesConfig(coverage=wanted))
        return cover(yard.factory, yard.plan, yard.task("t"), 1, commit, self.change(commit), lambda asked: None)

    def mutate(self, command: str, **keys: object) -> GateResult:
        commit = self.commit({"least.py": SOURCE})
        wanted = MutationConfig.model_validate({"command": command, **keys})
        yard = self.with_gates(GatesConfig(mutation=wanted))
        task = yard.task("t", checks={"unit": "grep -q 'a < b' least.py"})
        change = self.change(commit)
        return mutate(yard.factory, yard.plan, task, 1, yard.base, commit, change, lambda asked: None)


@pytest.fixture
def proof(yard: Yard, tmp_path: Path) -> Iterator[Proof]:
    driver = EmbeddedDriver(tmp_path / "boxes", owner="tests")
    sandbox = yard.factory.config.sandbox.model_copy(update={"allow_degraded": True, "timeout_minutes": 1.0})
    config = yard.factory.config.model_copy(update={"sandbox": sandbox})
    yield Proof(replace(yard, factory=replace(yard.factory, config=config, driver=driver)))
    assert driver.list() == []


def asked(result: GateResult) -> list[str]:
    return [finding.asks for finding in result.findings]


def test_the_report_that_the_command_leaves_is_judged_and_kept(proof: Proof) -> None:
    made = report([1, 2, 3], [4])
    result = proof.cover("cp made.txt cov.json", {"made.txt": made}, percent=70)
    assert (result.outcome, [(found.line, found.asks) for found in result.findings]) == ("passed", [(4, "note")])
    assert result.artifact is not None
    assert proof.yard.factory.artifacts.get(result.artifact) == made.encode()


def test_all_files_of_a_folder_count_together(proof: Proof) -> None:
    parts = {"one.txt": report([1, 2, 3], [4]), "two.txt": report([1, 2, 4], [3])}
    command = "mkdir cov && cp one.txt cov/1.json && cp two.txt cov/2.json"
    result = proof.cover(command, parts, report="cov", percent=100)
    assert (result.outcome, result.findings) == ("passed", ())


def test_a_report_that_the_attempt_brought_along_is_not_taken(proof: Proof) -> None:
    result = proof.cover("true", {"cov.json": report([1, 2, 3, 4], [])})
    assert asked(result) == ["person"]
    assert "left no report at `cov.json`" in result.findings[0].title


@pytest.mark.parametrize(
    ("command", "asks"),
    [
        ("echo boom >&2; exit 3", "repair"),
        ("no-such-program --report", "person"),
        ("echo '{\"meta\": 1' > cov.json", "person"),
        ("mkfifo cov.json", "person"),
    ],
)
def test_what_the_agent_cannot_mend_goes_to_a_person(proof: Proof, command: str, asks: str) -> None:
    assert asked(proof.cover(command, {})) == [asks]


def test_where_nothing_is_wanted_no_fault_of_the_measure_stops_anybody(proof: Proof) -> None:
    assert proof.cover("exit 3", {}, percent=0).outcome == "passed"


def test_without_a_command_or_without_source_neither_gate_applies(yard: Yard) -> None:
    commit = yard.commit(yard.base, {"README.md": "# A\n"})
    change = read_change(yard.factory.quarantine, yard.base, commit)
    nothing = (yard.factory, yard.plan, yard.task("t"), 1)
    plain = cover(*nothing, commit, change, lambda asked: None)
    unasked = mutate(*nothing, yard.base, commit, change, lambda asked: None)
    wanted = GatesConfig(coverage=CoverageConfig(command="true", report=("cov.json",)))
    config = yard.factory.config.model_copy(update={"gates": wanted})
    factory = replace(yard.factory, config=config)
    no_source = cover(factory, yard.plan, yard.task("t"), 1, commit, change, lambda asked: None)
    assert {one.outcome for one in (plain, unasked, no_source)} == {"not_applicable"}
    assert "no source file" in no_source.reason


def test_faults_that_the_tests_do_not_see_are_told(proof: Proof) -> None:
    result = proof.mutate("unit", percent=90, most=4)
    assert result.outcome == "failed"
    assert {found.line for found in result.findings} == {3, 4}
    assert result.artifact is not None
    tried = json.loads(proof.yard.factory.artifacts.get(result.artifact))
    assert sorted(one["outcome"] for one in tried) == ["noticed", "noticed", "unnoticed", "unnoticed"]


def test_tests_that_fail_without_a_fault_say_nothing_of_faults(proof: Proof) -> None:
    assert asked(proof.mutate("echo no; exit 1", percent=50)) == ["repair"]
    assert proof.mutate("exit 1").outcome == "passed"


def test_a_fault_that_the_time_was_up_for_counts_for_nothing(proof: Proof) -> None:
    result = proof.mutate("grep -q 'a < b' least.py || sleep 20", minutes=0.005, most=1, percent=50)
    assert asked(result) == ["person"]
    assert result.reason == "no fault was tried"


def test_a_suite_that_asks_for_covering_tests_and_has_none_notices_nothing(proof: Proof) -> None:
    assert asked(proof.mutate("cat {tests}", percent=50)) == ["repair"]
