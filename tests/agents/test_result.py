"""What an agent says of its own work is read as it is, or refused with what is wrong in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchyard.agents.result import correction, read_result, result_schema
from switchyard.packets import BuildResultPacket, PlanPacket
from switchyard.packets.roles import MOST_ANSWER_BYTES

WHOLE = {
    "summary": "Serves rates.",
    "rationale": "The table was there.",
    "discovered": [{"title": "The cache never ends", "paths": ["cache.py"]}],
    "confidence": 0.8,
}


def test_a_whole_result_is_read_and_needs_only_its_summary() -> None:
    assert read_result(json.dumps(WHOLE).encode(), BuildResultPacket).result == BuildResultPacket.model_validate(WHOLE)
    assert read_result(b'{"summary": "x"}', BuildResultPacket).fault == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"confidence": 80}, "- confidence: Input should be less than or equal to 1"),
        ({"summary": ""}, "- summary: String should have at least 1 character"),
        ({"sumary": "x"}, "- sumary: Extra inputs are not permitted"),
        ({"discovered": [{"detail": "x"}]}, "- discovered.0.title: Field required"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(change: dict[str, object], said: str) -> None:
    left = read_result(json.dumps({**WHOLE, **change}).encode(), BuildResultPacket)
    assert (left.result, left.fault) == (None, said)
    assert said in correction(left.fault)


def test_one_that_is_too_long_is_cut_and_refused() -> None:
    left = read_result(json.dumps({**WHOLE, "rationale": "x" * MOST_ANSWER_BYTES}).encode(), BuildResultPacket)
    assert (len(left.raw), left.result) == (MOST_ANSWER_BYTES, None)


@given(st.binary())
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    left = read_result(raw, BuildResultPacket)
    assert (left.result is None) is bool(left.fault)


def test_the_schema_names_every_field() -> None:
    assert set(json.loads(result_schema(BuildResultPacket))["properties"]) == {"schema", *WHOLE}


@pytest.mark.parametrize("path", ["./src//cache.py", "src/./cache.py", ".//src/cache.py/"])
def test_a_plans_target_is_read_as_git_writes_it(path: str) -> None:
    answer = {"summary": "s", "steps": ["s"], "targets": [{"path": path}]}
    left = read_result(json.dumps(answer).encode(), PlanPacket)
    assert left.result and left.result.targets[0].path == "src/cache.py"
