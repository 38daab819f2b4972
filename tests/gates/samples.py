"""Attempts, checks and tasks with plain values where a test gives none."""

from __future__ import annotations

from typing import Any

from switchyard.packets import Asks, AttemptResult, CheckResult, FindingNote, GateFinding, GateResult, PlannedTask


def a_task(**fields: Any) -> PlannedTask:
    return PlannedTask.model_validate({"id": "t", "title": "T", "body": "", "branch": "factory/r/t", **fields})


def an_attempt(*changed: str, **fields: Any) -> AttemptResult:
    plain = {"attempt": 1, "box": "b", "commit": "c", "exit_code": 0, "signal": None, "limit": None, "duration_s": 1.0}
    refs = dict.fromkeys(("stdout", "stderr", "diff"), "sha256:0")
    return AttemptResult.model_validate({**plain, **refs, "changed": changed, **fields})


def a_check(**fields: Any) -> CheckResult:
    plain = {"name": "unit", "command": "make test", "passed": True, "exit_code": 0, "signal": None, "limit": None}
    return CheckResult.model_validate({**plain, "duration_s": 2.0, "output": "sha256:0", **fields})


def a_failed_check(**fields: Any) -> CheckResult:
    return a_check(**{"passed": False, "exit_code": 1, "tail": "boom", **fields})


def a_finding(**fields: Any) -> FindingNote:
    return FindingNote.model_validate(
        {"path": "dev/null", "kind": "device", "detail": "a node", "refused": True, **fields}
    )


def a_gate(asks: Asks, *, gate: str = "some-gate", **fields: Any) -> GateResult:
    finding = GateFinding.model_validate({"title": "it is wrong", "asks": asks, **fields})
    return GateResult.of(gate, [finding], "looked at all")
