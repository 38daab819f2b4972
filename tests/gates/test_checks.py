"""Which checks run, and how a failed one reads."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gates.samples import a_check, a_failed_check
from switchyard.config import Config
from switchyard.gates import checks_for, describe_failure
from switchyard.packets import TaskId
from switchyard.quoting import code


def test_the_repositorys_checks_come_first_and_the_tasks_own_after_them() -> None:
    checks = checks_for(TaskId("t"), {"load": "make load"}, {"unit": "make unit", "lint": "make lint"})
    assert list(checks.items()) == [("unit", "make unit"), ("lint", "make lint"), ("load", "make load")]


def test_a_task_cannot_replace_a_check_of_the_repository() -> None:
    checks = checks_for(TaskId("mine"), {"unit": "true"}, {"unit": "make unit"})
    assert checks == {"unit": "make unit", "mine:unit": "true"}


def test_no_name_of_a_tasks_check_makes_way_for_or_takes_the_way_of_the_repositorys() -> None:
    repository = {"unit": "make unit", "t:unit": "make all"}
    own = {"unit": "true", "unit@old": "make old"}
    checks = checks_for(TaskId("t"), own, repository, ["unit@old"])
    assert checks == {**repository, "t:unit@old": "make old"}


def test_a_check_may_not_be_named_as_another_is_in_an_environment() -> None:
    checks = {"unit": "make unit", "lint": "make lint", "unit@old": "true"}
    for chosen in ((), ("unit",)):
        with pytest.raises(ValidationError, match="runs 'unit@old', and so is a check"):
            Config.model_validate({"checks": checks, "environments": {"old": {"checks": chosen}}})
    Config.model_validate({"checks": checks, "environments": {"old": {"checks": ("lint",)}}})


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ({"exit_code": 2}, "exited with 2"),
        ({"exit_code": None, "signal": 11}, "was ended by signal 11"),
        (
            {"exit_code": None, "signal": 9, "limit": "timeout", "duration_s": 60.04},
            "by the timeout limit after 60.0 s",
        ),
    ],
)
def test_a_failure_says_how_it_ended(ended: dict[str, object], words: str) -> None:
    assert words in describe_failure(a_failed_check(**ended))


def test_a_failure_reads_as_a_passage() -> None:
    assert describe_failure(a_failed_check(tail="one\ntwo")) == (
        "Check `unit` failed: `make test` exited with 1.\n\n```\none\ntwo\n```"
    )


def test_a_silent_failure_has_no_empty_block() -> None:
    assert describe_failure(a_failed_check(tail="")) == "Check `unit` failed: `make test` exited with 1."


@given(st.text(alphabet="`~\n a#", min_size=1, max_size=60))
def test_no_output_closes_its_own_fence(tail: str) -> None:
    text = describe_failure(a_check(passed=False, exit_code=1, tail=tail))
    head, _, rest = text.partition("\n\n")
    fence = rest[: len(rest) - len(rest.lstrip("`"))] if not tail.startswith("`") else rest.split("\n", 1)[0]
    assert rest == f"{fence}\n{tail}\n{fence}"
    assert set(fence) == {"`"} and len(fence) >= 3
    assert all(len(run) < len(fence) for run in re.findall("`+", tail))
    assert head.startswith("Check `unit` failed")


@given(st.text(alphabet="`\n\r\u2028 ab", min_size=1, max_size=30))
def test_code_in_a_line_stays_in_its_line_and_in_its_fence(text: str) -> None:
    shown = code(text)
    fence = re.match("`+", shown)
    assert fence is not None
    assert len(shown.splitlines()) == 1
    assert shown.endswith(fence[0])
    inside = shown[len(fence[0]) : -len(fence[0])]
    assert all(len(run) < len(fence[0]) for run in re.findall("`+", inside)) or fence[0] not in inside
