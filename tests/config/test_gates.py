"""`[gates.coverage]` and `[gates.mutation]` as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchyard.config import Config, parse_config
from switchyard.errors import SwitchyardError

COVERAGE = '[gates.coverage]\ncommand = "make cover"\n'


def read(text: str) -> Config:
    return parse_config(text, Path("switchyard.toml"))


def test_neither_gate_is_configured_unless_it_is_asked_for() -> None:
    gates = read("").gates
    assert (gates.coverage, gates.mutation) == (None, None)


def test_one_report_or_several_may_be_named() -> None:
    one = read(f'{COVERAGE}report = "cov.json"\n').gates.coverage
    many = read(f'{COVERAGE}report = ["a/cov.json", "cover.out"]\n').gates.coverage
    assert one is not None and (one.report, one.percent) == (("cov.json",), 80)
    assert many is not None and many.report == ("a/cov.json", "cover.out")


@pytest.mark.parametrize("report", ['"../cov.json"', '"/tmp/cov.json"', "[]", "3", '[""]'])
def test_a_report_lies_inside_the_repository(report: str) -> None:
    with pytest.raises(SwitchyardError, match=r"gates\.coverage\.report"):
        read(f"{COVERAGE}report = {report}\n")


@pytest.mark.parametrize("line", ["percent = 101", "most = 0", "minutes = 0", 'command = " "', "often = 1"])
def test_a_measure_that_means_nothing_is_refused(line: str) -> None:
    command = "" if line.startswith("command") else 'command = "test"\n'
    with pytest.raises(SwitchyardError, match=r"gates\.mutation"):
        read(f"[gates.mutation]\n{command}{line}\n")
