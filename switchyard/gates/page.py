"""The reader's page of a pull request: what changed and why, what proves it, what nothing covers, what to read first.

A pure function of facts, sized to the risk. What agents and boxes wrote is quoted: nothing in it ends its quote, passes
for the factory's own words or calls anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from switchyard.gates.reading import look_first, place_of, short
from switchyard.gates.risk import FileFacts, Risk, counted, gate_named, judge_risk
from switchyard.packets import ArtifactRef, CheckResult, GateFinding, GateResult, Proof
from switchyard.quoting import code, plain, told

MOST_CHARS = 24_000
"""Of a page; GitHub takes 65,536 for a whole body, in which people have their say too."""
NO_VERIFIER = "No verifier is configured: the deterministic gates stand alone."
_VERIFIERS = "verifiers"
_MARKS = {"passed": "✅ passed", "failed": "❌ failed"}
_UNMEASURED = {
    "coverage": "which changed lines the tests run is not measured",
    "mutation": "whether the tests would notice a fault is not tried",
}
_NOTHING = "Nothing that a gate could tell."
_ON = {"change": "", "base": " on the base", "base tests": " with the base's tests"}
_BASE = {
    "passed": "passes on the base",
    "failed_alike": "fails alike on the base",
    "failed_otherwise": "fails otherwise on the base",
}
_ROWS = {"low": 6, "medium": 12, "high": 40}
_LOOKS = {"low": 2, "medium": 4, "high": 8}
_ACCOUNT_LINES = {"low": 4, "medium": 12, "high": 24}


@dataclass(frozen=True)
class Account:
    """What the agent says of its own work; nothing of it is proof."""

    summary: str = ""
    rationale: str = ""
    confidence: float | None = None
    agent: str = ""
    """The name of its table; "" is the default."""


@dataclass(frozen=True)
class PageFacts:
    """Everything that a page is made of."""

    proof: Proof
    files: tuple[FileFacts, ...] = ()
    account: Account | None = None
    cut: int = 0
    """How many changed files are not among `files`."""


def render_page(facts: PageFacts, *, whole: ArtifactRef | None = None, most: int = MOST_CHARS) -> str:
    """The page in Markdown.

    Args:
        whole: Where the page lies uncut; told where it had to be cut.
        most: Its longest, in characters; what is least needed gives way.
    """
    risk = judge_risk(facts.files, facts.proof, facts.account.confidence if facts.account else None)
    sections = _sections(facts, risk, shrink=1)
    if len(_paragraphs(*sections)) <= most:
        return _paragraphs(*sections)
    where = f": {code(whole)}" if whole else ""
    pointer = f"This page is cut; the whole is kept as an artifact{where}."
    for shrink in (2, 4, 8):
        sections = [*_sections(facts, risk, shrink=shrink), pointer]
        if len(_paragraphs(*sections)) <= most:
            break
    return _fitted(sections[:-1], most, pointer)


def _sections(facts: PageFacts, risk: Risk, *, shrink: int) -> list[str]:
    rows, looks, lines = (max(1, table[risk.level] // shrink) for table in (_ROWS, _LOOKS, _ACCOUNT_LINES))
    found = look_first(facts.files, facts.proof, most=looks)
    if risk.level == "low":
        return _short(facts, risk, found, rows, lines)
    return _long(facts, risk, found, rows, lines)


def _short(facts: PageFacts, risk: Risk, looks: Sequence[str], rows: int, lines: int) -> list[str]:
    """A few lines: whoever reads the diff needs no more."""
    holes = "; ".join(_holes(facts, 3)[:rows]) or "nothing that a gate could tell"
    others = [plain(gate.gate, most=80) for gate in _skipped(facts.proof)]
    return [
        _headline(risk),
        _account(facts.account, lines),
        _checks(facts.proof.checks, rows),
        f"{_gates_in_a_line(facts.proof.gates)} {_verifiers(facts.proof)}",
        _sentences(f"No check covers: {holes}", f"Do not apply: {_joined(others, 20)}" if others else ""),
        f"Look first at {', then at '.join(looks)}." if looks else "",
    ]


def _long(facts: PageFacts, risk: Risk, looks: Sequence[str], rows: int, lines: int) -> list[str]:
    return [
        _headline(risk),
        _paragraphs("### What changed and why", _account(facts.account, lines), _areas(facts, min(rows, 12))),
        _paragraphs(
            "### What proves it",
            _checks(facts.proof.checks, rows),
            _gates(facts.proof.gates, rows),
            _verifiers(facts.proof),
        ),
        _paragraphs(
            "### What no check covers",
            _listed([*_holes(facts, rows), *map(_why_not, _skipped(facts.proof))], rows) or _NOTHING,
        ),
        _paragraphs("### What to look at first", _numbered(looks) or "No place stands out."),
    ]


def _headline(risk: Risk) -> str:
    facts = "; ".join(risk.facts[:8])
    more = f"; and {len(risk.facts) - 8} more" if len(risk.facts) > 8 else ""
    return f"**Risk: {risk.level}** ({facts}{more})"


def _account(account: Account | None, most_lines: int) -> str:
    """What the agent says, as a quote of plain words."""
    if account is None or not (account.summary or account.rationale):
        return "The agent left no account of its work."
    by = f"The agent {code(account.agent)}" if account.agent else "The agent"
    sure = "" if account.confidence is None else f", with a confidence of {account.confidence:.0%}"
    lines = [line for text in (account.summary, account.rationale) for line in text.splitlines() if line.strip()]
    shown = [f"> {plain(line, most=300)}" for line in lines[:most_lines]]
    cut = [f"> … and {counted(len(lines) - most_lines, 'more line')}"] if len(lines) > most_lines else []
    # A backslash keeps the agent's lines apart without making a paragraph of each.
    return f"{by} says{sure}, which proves nothing:\n\n" + "\\\n".join([*shown, *cut])


def _areas(facts: PageFacts, most: int) -> str:
    """The sizes of the change by folder."""
    if not facts.files:
        return ""
    sums: dict[str, list[int]] = {}
    for file in facts.files:
        area = sums.setdefault(_area_of(file.path), [0, 0, 0])
        for place, number in enumerate((1, file.added, file.removed)):
            area[place] += number
    ordered = sorted(sums.items(), key=lambda one: (-one[1][1] - one[1][2], one[0]))
    rows = [
        f"| {_in_table(area)} | {files} | +{added} | −{removed} |" for area, (files, added, removed) in ordered[:12]
    ]
    rest = len(ordered) - 12
    more = f"\n\nand {counted(rest, 'folder')} more" if rest > 0 else ""
    unlisted = f"\n\n{counted(facts.cut, 'file')} beyond these were not measured." if facts.cut else ""
    return "\n".join(["| where | files | added | removed |", "|---|---|---|---|", *rows]) + more + unlisted


def _checks(checks: Sequence[CheckResult], most: int) -> str:
    if not checks:
        return "No check ran."
    ordered = sorted(checks, key=lambda check: check.passed)
    rows = [
        f"| {_name(check)} | {_result(check)} | {check.duration_s:.1f} s | {code(check.output)} |"
        for check in ordered[:most]
    ]
    more = f"\n\nand {counted(len(checks) - most, 'check')} more" if len(checks) > most else ""
    return "\n".join(["| check | result | took | output |", "|---|---|---|---|", *rows]) + more


def _name(check: CheckResult) -> str:
    where = f" in {plain(check.environment, most=80)}" if check.environment else ""
    return f"{plain(check.name, most=80)}{where}{_ON[check.on]}"


def _result(check: CheckResult) -> str:
    told = [_MARKS["passed" if check.passed else "failed"]]
    if check.tests is not None:
        told.append(counted(check.tests, "test"))
    if check.is_flaky:
        told.append(f"flaky: {sum(check.runs)} of {counted(len(check.runs), 'run')} passed")
    if check.base:
        told.append(_BASE[check.base])
    return ", ".join(told)


def _gates(gates: Sequence[GateResult], most: int) -> str:
    shown = [gate for gate in gates if gate.gate != _VERIFIERS and gate.outcome != "not_applicable"]
    if not shown:
        return "No gate spoke."
    ordered = sorted(shown, key=lambda gate: (gate.outcome, gate.gate))
    rows = [
        f"| {plain(gate.gate, most=80)} | {_MARKS[gate.outcome]} | {told(gate.reason, most=300, in_table=True)} |"
        for gate in ordered[:most]
    ]
    more = f"\n\nand {counted(len(shown) - most, 'gate')} more" if len(shown) > most else ""
    return "\n".join(["| gate | result | what it says |", "|---|---|---|", *rows]) + more


def _gates_in_a_line(gates: Sequence[GateResult]) -> str:
    passed = [plain(gate.gate, most=80) for gate in gates if gate.outcome == "passed" and gate.gate != _VERIFIERS]
    return (
        f"{counted(len(passed), 'gate')} passed: {', '.join(passed[:20])}."
        if passed
        else "No gate had anything to say."
    )


def _verifiers(proof: Proof) -> str:
    gate = gate_named(proof, _VERIFIERS)
    if gate is None:
        return NO_VERIFIER
    reason = told(gate.reason, most=600).rstrip(".")
    if gate.outcome == "not_applicable":
        return f"{reason[:1].upper()}{reason[1:]}."
    findings = [f"- {_described(finding)}" for finding in gate.findings[:10]]
    return _paragraphs(f"Verifiers {_MARKS[gate.outcome]}: {reason}.", "\n".join(findings))


def _holes(facts: PageFacts, most: int) -> list[str]:
    """What nothing speaks for, each as a passage of a sentence."""
    holes: list[str] = []
    for name in _UNMEASURED:
        gate = gate_named(facts.proof, name)
        if gate is None:
            holes.append(_UNMEASURED[name])
        elif gate.outcome == "not_applicable":
            holes.append(f"{_UNMEASURED[name]}: {told(gate.reason, most=200)}")
        else:
            holes += [_described(finding) for finding in gate.findings[:most]]
            holes += [f"{counted(len(gate.findings) - most, 'more finding')} of {name}"] * (len(gate.findings) > most)
    untested = [code(short(file.path)) for file in facts.files if file.tests == 0]
    if untested:
        holes.append(f"no test reaches {_joined(untested, most)} through imports")
    unread = [code(short(file.path)) for file in facts.files if not file.is_read]
    if unread:
        holes.append(f"the language of {_joined(unread, most)} is not read")
    return holes


def _skipped(proof: Proof) -> list[GateResult]:
    """The gates that had nothing to look at, those aside that tell of what is not measured."""
    known = {*_UNMEASURED, _VERIFIERS}
    return [gate for gate in proof.gates if gate.outcome == "not_applicable" and gate.gate not in known]


def _why_not(gate: GateResult) -> str:
    return f"{plain(gate.gate, most=80)} does not apply: {told(gate.reason, most=200)}"


def _sentences(*parts: str) -> str:
    return " ".join(f"{part}." for part in parts if part)


def _described(finding: GateFinding) -> str:
    place = place_of(finding)
    return f"{told(finding.title)} ({place})" if place else told(finding.title)


def _fitted(sections: Sequence[str], most: int, pointer: str) -> str:
    """The sections as far as there is room, whole ones only: half a table or quote would spoil what follows."""
    kept: list[str] = []
    for section in sections:
        if len(_paragraphs(*kept, section, pointer)) <= most:
            kept.append(section)
    return _paragraphs(*kept, pointer)


def _area_of(path: str) -> str:
    folders = path.split("/")[:-1]
    return "/".join(folders[:2]) + "/" if folders else "(top)"


def _in_table(path: str) -> str:
    return code(short(path)).replace("\\", "/").replace("|", "¦")


def _joined(items: Sequence[str], most: int) -> str:
    shown = ", ".join(items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def _listed(items: Sequence[str], most: int) -> str:
    more = [f"- and {counted(len(items) - most, 'more')}"] if len(items) > most else []
    return "\n".join([*(f"- {item}" for item in items[:most]), *more])


def _numbered(items: Sequence[str]) -> str:
    return "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1))


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
