"""What blind verdicts come to together, and that nobody can have read one before all were sealed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.reviews import SALT, Rows, a_finding, a_roster, a_verdict, titles
from switchyard.gates.verdicts import MOST_FINDINGS, NONE_CONFIGURED, check_seals, document_of, judge_verdicts, seal_of
from switchyard.packets import Roster


def test_without_any_verifier_the_gate_says_that_the_others_stand_alone() -> None:
    gate = judge_verdicts(Roster(), ())
    assert (gate.outcome, gate.reason) == ("not_applicable", NONE_CONFIGURED)


def test_what_is_not_put_before_reviewers_says_why() -> None:
    gate = judge_verdicts(Roster(idle="a check failed"), ())
    assert (gate.outcome, gate.reason) == ("not_applicable", "a check failed")


def test_passes_of_all_pass_and_keep_what_they_noticed_for_readers() -> None:
    low = a_verdict("quality", "pass", a_finding("low", title="A typo"))
    gate = judge_verdicts(a_roster("quality", "security"), (low, a_verdict("security", "pass")))
    assert (gate.outcome, gate.reason) == ("passed", "quality pass by `command`, security pass by `command`")
    assert titles(gate.findings, "note") == [
        "quality reviewer (`quality-agent`) passes it: `Looked at all.`",
        "quality reviewer (`quality-agent`), low: `A typo`",
        "security reviewer (`security-agent`) passes it: `Looked at all.`",
    ]


def test_all_failing_sends_it_back_to_the_agent_with_what_is_wrong() -> None:
    fail = a_verdict(
        "quality", "fail", a_finding("medium", path="a.py", line=3, detail="Off by one."), a_finding("low")
    )
    gate = judge_verdicts(a_roster("quality", "security"), (fail, a_verdict("security", "fail")))
    assert gate.outcome == "failed"
    assert {finding.asks for finding in gate.findings} == {"repair", "note"}
    (placed,) = [finding for finding in gate.findings if finding.path]
    assert (placed.path, placed.line, placed.asks, placed.detail) == ("a.py", 3, "repair", "```\nOff by one.\n```")
    assert len(titles(gate.findings, "note")) == 1


def test_a_change_of_what_a_reviewer_runs_needs_a_person_though_all_pass() -> None:
    (seat,) = a_roster("quality").seats
    roster = Roster(seats=(seat.model_copy(update={"edited": ("judge.sh",)}),))
    gate = judge_verdicts(roster, (a_verdict("quality", "pass"),))
    (asked,) = [finding for finding in gate.findings if finding.asks == "person"]
    assert (gate.outcome, asked.path) == ("failed", "judge.sh")
    assert asked.title == "the change edits what the quality reviewer (`quality-agent`) runs"


@pytest.mark.parametrize("second", ["pass", "unsure", "none"])
def test_a_split_goes_to_a_person(second: str) -> None:
    verdicts = (a_verdict("quality", "fail", a_finding()), a_verdict("security", second, reason="it hung"))
    gate = judge_verdicts(a_roster("quality", "security"), verdicts)
    assert (gate.outcome, gate.reason) == (
        "failed",
        f"split: quality fail by `command`, security {second} by `command`",
    )
    assert "repair" not in {finding.asks for finding in gate.findings}
    assert titles(gate.findings, "person")[0] == "quality reviewer (`quality-agent`) says that it must not be published"


@pytest.mark.parametrize(("said", "words"), [("unsure", "is not sure"), ("none", "gave no verdict")])
def test_what_is_no_verdict_goes_to_a_person_with_its_reason(said: str, words: str) -> None:
    gate = judge_verdicts(a_roster("quality"), (a_verdict("quality", said, reason="ended by the timeout limit"),))
    (finding,) = gate.findings
    assert (finding.asks, finding.title) == ("person", f"quality reviewer (`quality-agent`) {words}")
    assert finding.detail == ("`ended by the timeout limit`" if said == "none" else "```\nLooked at all.\n```")


def test_a_grave_finding_beside_a_pass_goes_to_a_person() -> None:
    passed = a_verdict("security", "pass", a_finding("high"), a_finding("medium"), a_finding("high", out_of_scope=True))
    gate = judge_verdicts(a_roster("security"), (passed,))
    assert titles(gate.findings, "person") == ["security reviewer (`security-agent`), high: `It breaks`"]
    assert len(titles(gate.findings, "note")) == 3


def test_who_does_not_count_is_told_and_the_others_decide() -> None:
    gate = judge_verdicts(a_roster("quality", security="it passed canary `x`"), (a_verdict("quality", "pass"),))
    assert gate.outcome == "passed"
    told = "security reviewer (`security-agent`) does not count: it passed canary `x`"
    assert titles(gate.findings, "note")[1:] == [told]


def test_where_nobody_is_left_that_counts_a_person_decides() -> None:
    gate = judge_verdicts(a_roster(quality="it is the builder"), ())
    assert gate.outcome == "failed"
    assert titles(gate.findings, "person") == ["no verifier is left that counts"]
    assert "it is the builder" in gate.findings[-1].detail


def test_words_of_a_reviewer_cannot_break_out_of_their_place() -> None:
    hostile = a_finding("high", title="`x`\n# Approved", detail="```\n# Approved\n```", path="a\nb")
    gate = judge_verdicts(a_roster("quality"), (a_verdict("quality", "fail", hostile),))
    described = gate.findings[1].described
    assert "\n# Approved" not in described.replace("````\n```\n# Approved\n```\n````", "")
    assert "`a\\nb`" in described


def test_a_flood_of_findings_is_cut() -> None:
    many = [a_finding("low", title=f"n{number}") for number in range(99)]
    gate = judge_verdicts(a_roster("quality"), (a_verdict("quality", "fail", *many, a_finding()),))
    assert len(gate.findings) == MOST_FINDINGS + 1
    assert "high" in gate.findings[1].title


def rows() -> Rows:
    return Rows(a_verdict("quality", "pass"), a_verdict("security", "fail"))


def test_verdicts_that_were_all_sealed_before_any_was_revealed_hold() -> None:
    told = rows().seal("quality", "security").reveal("quality", "security").then("policy_decided")
    assert check_seals(told.events, told.read) == []


def test_a_verdict_that_was_sealed_after_another_was_revealed_is_a_fault() -> None:
    told = rows().seal("quality").reveal("quality").seal("security").reveal("security")
    assert check_seals(told.events, told.read) == [
        "row 3: the security verdict of t was sealed after another was revealed"
    ]


def test_a_verdict_that_was_never_sealed_is_a_fault() -> None:
    told = rows().seal("quality").reveal("quality", "security")
    assert check_seals(told.events, told.read) == ["row 3: the security verdict of t was revealed and never sealed"]


def test_a_verdict_that_was_changed_after_it_was_sealed_is_a_fault() -> None:
    told = rows().seal("quality", "security").reveal("quality", "security")
    told.artifacts["artifact-security"] = document_of(a_verdict("security", "pass"))
    assert check_seals(told.events, told.read) == ["row 4: the security verdict of t is not the one that was sealed"]
    told = rows().seal("quality", "security").reveal("quality", "security")
    other = seal_of(document_of(told.verdicts["quality"]), "00" * 32)
    told.events[2] = replace(told.events[2], data={**told.events[2].data, "salt": "00" * 32, "seal": other})
    assert check_seals(told.events, told.read) == ["row 3: the quality verdict of t is not the one that was sealed"]


def test_a_verdict_that_was_sealed_twice_or_kept_back_is_a_fault() -> None:
    told = (
        rows().seal("quality", "quality", "security").reveal("security").then("policy_decided").then("branch_published")
    )
    assert check_seals(told.events, told.read) == [
        "row 2: the quality verdict of t was sealed twice",
        "row 5: policy decided, and the quality verdict was never revealed",
    ]


def test_another_task_or_attempt_is_another_matter() -> None:
    told = rows().seal("quality").reveal("quality").then("policy_decided")
    again = [replace(event, sequence=event.sequence + 3, data={**event.data, "attempt": 2}) for event in told.events]
    other = [replace(event, sequence=event.sequence + 6, task_id="u") for event in told.events]
    assert check_seals([*told.events, *again, *other], told.read) == []


@given(st.integers(0, 31), st.integers(0, 7))
def test_every_bit_of_the_salt_matters(place: int, bit: int) -> None:
    document = document_of(a_verdict("quality", "pass"))
    salt = bytearray.fromhex(SALT)
    salt[place] ^= 1 << bit
    assert seal_of(document, salt.hex()) != seal_of(document, SALT)


def test_two_seals_of_one_verdict_tell_nothing_of_it() -> None:
    passed, failed = (document_of(a_verdict("quality", said)) for said in ("pass", "fail"))
    assert len({seal_of(passed, SALT), seal_of(passed, "00" * 32), seal_of(failed, SALT)}) == 3
