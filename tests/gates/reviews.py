"""Judges, verdicts and the rows that seal them, with plain values where a test gives none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from switchyard.gates.verdicts import document_of, seal_of
from switchyard.ledger import Event
from switchyard.packets import ArtifactRef, Judge, QaResultPacket, Reviewer, Roster, Seat, Verdict

SALT = "5a" * 32


def a_judge(reviewer: Reviewer = "quality", **fields: Any) -> Judge:
    plain = {"agent": f"{reviewer}-agent", "kind": "command", "prompt": "p", "identity": f"i-{reviewer}"}
    return Judge.model_validate({"reviewer": reviewer, **plain, **fields})


def a_verdict(reviewer: Reviewer, said: str, *findings: dict[str, Any], reason: str = "") -> Verdict:
    answer = {"verdict": said, "summary": "Looked at all.", "findings": findings}
    return Verdict(
        schema="switchyard.verdict/1",
        judge=a_judge(reviewer),
        commit="c",
        verdict=said,
        reason=reason,
        result=None if said == "none" else QaResultPacket.model_validate(answer),
        output=ArtifactRef("sha256:0"),
    )


def a_finding(severity: str = "high", **fields: Any) -> dict[str, Any]:
    return {"severity": severity, "title": "It breaks", **fields}


def a_roster(*reviewers: Reviewer, **absent: str) -> Roster:
    seats = [Seat(judge=a_judge(one)) for one in reviewers]
    return Roster(seats=(*seats, *(Seat(judge=a_judge(one), absent=why) for one, why in absent.items())))  # type: ignore[arg-type]


def a_row(sequence: int, kind: str, data: dict[str, Any], *, artifact: str = "", task: str = "t") -> Event:
    return Event(
        sequence=sequence,
        key=str(sequence),
        run_id="r",
        task_id=task,
        agent="",
        event_type=kind,
        timestamp="2026-01-01T00:00:00Z",
        artifact_reference=artifact,
        data=data,
        previous_hash="",
        hash="",
    )


class Rows:
    """Rows of one attempt's verdicts, and the artifacts behind them."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.events: list[Event] = []
        self.artifacts: dict[str, bytes] = {}
        self.verdicts = {verdict.judge.reviewer: verdict for verdict in verdicts}

    def seal(self, *reviewers: str) -> Rows:
        for one in reviewers:
            self._add("verdict_sealed", one, {})
        return self

    def reveal(self, *reviewers: str) -> Rows:
        for one in reviewers:
            document = document_of(self.verdicts[one])  # type: ignore[index]
            self.artifacts[f"artifact-{one}"] = document
            self._add("verdict_revealed", one, {"salt": SALT}, f"artifact-{one}")
        return self

    def then(self, kind: str) -> Rows:
        self.events.append(a_row(len(self.events) + 1, kind, {"attempt": 1}))
        return self

    def read(self, reference: str) -> bytes:
        return self.artifacts[reference]

    def _add(self, kind: str, reviewer: str, data: dict[str, Any], artifact: str = "") -> None:
        seal = seal_of(document_of(self.verdicts[reviewer]), SALT)  # type: ignore[index]
        whole = {"attempt": 1, "reviewer": reviewer, "seal": seal, **data}
        self.events.append(a_row(len(self.events) + 1, kind, whole, artifact=artifact))


def titles(findings: Sequence[Any], asks: str) -> list[str]:
    return [finding.title for finding in findings if finding.asks == asks]
