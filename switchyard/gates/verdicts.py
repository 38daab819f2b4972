"""What the verdicts of blind reviewers come to, and whether the seals in the ledger bear out that they were blind."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from switchyard.ledger import Event, LedgerError
from switchyard.ledger.events import canonical_json
from switchyard.packets import Asks, GateFinding, GateResult, Judge, QaFinding, Roster, Seat, Verdict
from switchyard.quoting import block, code

GATE = "verifiers"
NONE_CONFIGURED = "no verifier is configured: the deterministic gates stand alone"
MOST_SUMMARY = 300
"""Characters of what a reviewer says for its pass."""
MOST_FINDINGS = 30
"""Of one reviewer; the rest stands in the verdict's document."""
_AFTERWARDS = ("policy_decided", "branch_published")
"""What is done with verdicts in hand; a task that ends before has none to show."""


def document_of(verdict: Verdict) -> bytes:
    """The bytes that are sealed: canonical JSON."""
    return canonical_json(verdict.model_dump(mode="json")).encode()


def seal_of(document: bytes, salt: str) -> str:
    """SHA-256 over salt and document.

    Args:
        salt: Random bytes in hex; a verdict alone has so little in it that its hash could be tried out.
    """
    return hashlib.sha256(bytes.fromhex(salt) + document).hexdigest()


def judge_verdicts(roster: Roster, verdicts: Sequence[Verdict]) -> GateResult:
    """All pass: it passes. All fail: back to the agent. Anything else: a person, with who said what."""
    if roster.idle:
        return GateResult.skipped(GATE, roster.idle)
    if not roster.seats:
        return GateResult.skipped(GATE, NONE_CONFIGURED)
    absent = [_describe_absent(seat.judge, seat.absent) for seat in roster.seats if seat.absent]
    edits = [_edit(seat) for seat in roster.seats if seat.edited]
    if not verdicts:
        finding = GateFinding(title="no verifier is left that counts", asks="person", detail="\n".join(absent))
        return GateResult.of(GATE, (*edits, *_notes(absent), finding), "none of the configured verifiers counts")
    said: Counter[str] = Counter(verdict.verdict for verdict in verdicts)
    findings = [finding for verdict in verdicts for finding in _findings(verdict, _asks(verdicts))]
    return GateResult.of(GATE, (*findings, *edits, *_notes(absent)), _tally(verdicts, said))


def check_seals(events: Iterable[Event], read: Callable[[str], bytes]) -> list[str]:
    """What is wrong with the seals, a sentence each; nothing: every verdict was sealed before any was revealed.

    Args:
        events: Rows in order, of any kinds and tasks.
        read: An artifact's bytes; raises LedgerError.
    """
    groups: dict[tuple[str, str, str], _Group] = {}
    faults: list[str] = []
    for event in events:
        if event.event_type in ("verdict_sealed", "verdict_revealed"):
            where = (event.run_id, event.task_id, str(event.data.get("attempt", "")))
            faults += groups.setdefault(where, _Group()).take(event, read)
        elif event.event_type in _AFTERWARDS:
            for (run_id, task_id, _), group in groups.items():
                if (run_id, task_id) == (event.run_id, event.task_id):
                    faults += group.end(event)
    return faults


class _Group:
    """The seals of one attempt, as far as the rows have been read."""

    def __init__(self) -> None:
        self.sealed: dict[str, str] = {}
        self.revealed: set[str] = set()
        self.ended = False

    def take(self, event: Event, read: Callable[[str], bytes]) -> list[str]:
        reviewer, seal = str(event.data.get("reviewer", "")), str(event.data.get("seal", ""))
        told = f"row {event.sequence}: the {reviewer} verdict of {event.task_id}"
        if event.event_type == "verdict_sealed":
            faults = [f"{told} was sealed after another was revealed"] if self.revealed else []
            faults += [f"{told} was sealed twice"] if reviewer in self.sealed else []
            self.sealed.setdefault(reviewer, seal)
            return faults
        self.revealed.add(reviewer)
        if reviewer not in self.sealed:
            return [f"{told} was revealed and never sealed"]
        if seal != self.sealed[reviewer] or not _opens(event, seal, read):
            return [f"{told} is not the one that was sealed"]
        return []

    def end(self, event: Event) -> list[str]:
        missing = [] if self.ended else sorted(set(self.sealed) - self.revealed)
        self.ended = True
        word = event.event_type.replace("_", " ")
        return [f"row {event.sequence}: {word}, and the {one} verdict was never revealed" for one in missing]


def _opens(event: Event, seal: str, read: Callable[[str], bytes]) -> bool:
    try:
        return seal_of(read(event.artifact_reference), str(event.data.get("salt", ""))) == seal
    except (LedgerError, ValueError):
        return False


def _asks(verdicts: Sequence[Verdict]) -> Asks:
    """What a verdict that is no pass asks for: a person, unless all agree that it is wrong."""
    return "repair" if all(verdict.verdict == "fail" for verdict in verdicts) else "person"


def _findings(verdict: Verdict, asks: Asks) -> list[GateFinding]:
    told = f"{verdict.judge.reviewer} reviewer ({code(verdict.judge.agent or 'default')})"
    found = list(verdict.result.findings) if verdict.result else []
    passes = verdict.verdict == "pass"
    first = [_summary(verdict, told, "note" if passes else asks)]
    grave: Asks = "person" if passes else asks
    for one in sorted(found, key=_by_severity)[:MOST_FINDINGS]:
        # Low ones and what was there before are for readers, whoever decides.
        weighs = not one.out_of_scope and (one.severity == "high" or (not passes and one.severity == "medium"))
        first.append(_finding(one, told, grave if weighs else "note"))
    return first


def _summary(verdict: Verdict, told: str, asks: Asks) -> GateFinding:
    if verdict.verdict == "pass" and verdict.result:
        return GateFinding(title=f"{told} passes it: {code(verdict.result.summary[:MOST_SUMMARY])}", asks=asks)
    words = {"fail": "says that it must not be published", "unsure": "is not sure", "none": "gave no verdict"}
    detail = block(verdict.result.summary) if verdict.result else code(verdict.reason)
    return GateFinding(title=f"{told} {words[verdict.verdict]}", asks=asks, detail=detail)


def _finding(one: QaFinding, told: str, asks: Asks) -> GateFinding:
    scope = ", out of this task's scope" if one.out_of_scope else ""
    return GateFinding(
        title=f"{told}, {one.severity}{scope}: {code(one.title)}",
        asks=asks,
        path=one.path,
        line=one.line if one.path else 0,
        detail=block(one.detail) if one.detail else "",
    )


def _by_severity(one: QaFinding) -> tuple[bool, int]:
    return one.out_of_scope, ("high", "medium", "low").index(one.severity)


def _edit(seat: Seat) -> GateFinding:
    """Nobody who is judged says unseen who judges next."""
    told = f"the change edits what the {seat.judge.reviewer} reviewer ({code(seat.judge.agent or 'default')}) runs"
    return GateFinding(title=told, asks="person", path=seat.edited[0], detail="\n".join(map(code, seat.edited)))


def _notes(absent: Sequence[str]) -> list[GateFinding]:
    return [GateFinding(title=told, asks="note") for told in absent]


def _describe_absent(judge: Judge, why: str) -> str:
    return f"{judge.reviewer} reviewer ({code(judge.agent or 'default')}) does not count: {why}"


def _tally(verdicts: Sequence[Verdict], said: Counter[str]) -> str:
    names = ", ".join(f"{one.judge.reviewer} {one.verdict} by {_program(one)}" for one in verdicts)
    if len(said) == 1:
        return names
    return f"split: {names}"


def _program(verdict: Verdict) -> str:
    judge = verdict.judge
    return code(" ".join(part for part in (judge.kind, judge.model, verdict.program) if part))
