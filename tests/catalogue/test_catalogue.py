"""The catalogue before the gates on the host: what must not pass is stopped, by the gate that is there for it."""

from __future__ import annotations

import pytest
from gates.samples import a_task, an_attempt

from catalogue.bad import BAD
from catalogue.changes import Case
from catalogue.good import GOOD
from switchyard.config import Config
from switchyard.gates import Policy, decide
from switchyard.gates.weighing import weigh_change
from switchyard.packets import Decision, GateResult, Proof

SEEN = [case for case in BAD if not case.is_run]
CONFIG = Config()


def weighed(case: Case) -> tuple[GateResult, ...]:
    return tuple(weigh_change(a_task(allow=case.allow), case.change, CONFIG))


def decided(case: Case, gates: tuple[GateResult, ...]) -> Decision:
    """As after green checks, and with no repair left."""
    paths = [file.path for file in case.change.files]
    attempt = an_attempt(*paths)
    policy = Policy(protected=CONFIG.review.protected)
    return decide(a_task(allow=case.allow, repairs=0), attempt, Proof(gates=gates), policy)


@pytest.mark.parametrize("case", SEEN, ids=lambda case: case.name)
def test_a_bad_change_is_stopped_by_its_gate(case: Case) -> None:
    gates = weighed(case)
    decision = decided(case, gates)
    assert decision.verdict == "needs_person"
    if case.gate != "protected":
        assert case.gate in {gate.gate for gate in gates if gate.outcome == "failed"}, decision.reasons


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_an_ordinary_change_passes(case: Case) -> None:
    decision = decided(case, weighed(case))
    assert decision.verdict == "publish", decision.reasons


def test_without_its_gate_a_bad_change_would_pass() -> None:
    alone = set()
    for case in SEEN:
        gates = weighed(case)
        if decided(case, tuple(gate for gate in gates if gate.gate != case.gate)).verdict == "publish":
            alone.add(case.gate)
    assert alone == {case.gate for case in SEEN} - {"protected"}


def test_every_gate_says_something_of_every_change() -> None:
    named = [[gate.gate for gate in weighed(case)] for case in (*SEEN, *GOOD)]
    assert len({tuple(names) for names in named}) == 1
    assert len(set(named[0])) == len(named[0])


def test_the_catalogue_is_large_enough() -> None:
    assert len(BAD) >= 40
    assert len({case.name for case in (*BAD, *GOOD)}) == len(BAD) + len(GOOD)
    for language in ("py", "web", "go", "rust", "java"):
        assert sum(case.name.startswith(language) for case in BAD) >= 4, language
        assert any(case.name.startswith(language) for case in GOOD), language
