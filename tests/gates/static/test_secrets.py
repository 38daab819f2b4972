"""Secrets by their form and by what they are called, with how many are found and how many are not there."""

from __future__ import annotations

import base64

import pytest

from gates.static.changes import a_file, added, asked, inspect
from gates.static.secret_lines import NO_SECRETS, SECRETS
from switchyard.gates.change import ChangedFile

KEY = "ghp_" + "R4nD0mT0k3nV4lu3" * 2 + "Zq9x"
"""Has the form of a token of GitHub."""


def is_found(path: str, text: str | bytes) -> bool:
    return bool(asked(inspect(added(path, text))["secrets"]))


def test_of_made_secrets_all_are_found_and_of_ordinary_lines_none_alarms() -> None:
    assert len(SECRETS) + len(NO_SECRETS) >= 120
    assert [line for line in SECRETS if not is_found(*line)] == []
    assert [line for line in NO_SECRETS if is_found(*line)] == []


def test_a_finding_names_kind_path_and_line_and_never_the_secret() -> None:
    result = inspect(added("src/a.py", f"x = 1\n\nkey = '{KEY}'\n"))["secrets"]
    (finding,) = result.findings
    assert (finding.path, finding.line, finding.asks) == ("src/a.py", 3, "repair")
    assert "GitHub Token" in finding.title
    assert KEY not in result.model_dump_json() and KEY[4:20] not in result.model_dump_json()


def test_what_the_base_has_already_is_not_told_again() -> None:
    line = f"key = '{KEY}'\n"
    assert not asked(inspect(a_file("a.py", line, f"x = 1\n{line}"))["secrets"])
    assert not asked(inspect(a_file("a.py", line, f"x = 2\nkey = wrap('{KEY}')\n"))["secrets"])


def test_a_secret_that_moves_with_its_file_is_not_new() -> None:
    line = f"key = '{KEY}'\n"
    assert not asked(inspect(a_file("a.py", line, None), added("b.py", f"import os\n{line}"))["secrets"])


@pytest.mark.parametrize(
    "text",
    [
        f"key = '{KEY[:12]}' + '{KEY[12:]}'\n",
        f"key = (\n    '{KEY[:12]}'\n    '{KEY[12:]}'\n)\n",
        f'const k = "{KEY[:4]}" +\r\n  "{KEY[4:]}";\r\n',
        f"key = '{base64.b64encode(KEY.encode()).decode()}'\n",
        f"key = bytes.fromhex('{KEY.encode().hex()}')\n",
        f"\ufeffkey = '{KEY}'\n".encode("utf-16-le"),
        b"\xff\xfe\x00bin\x00" + KEY.encode() + b"\x00",
        b"caf\xe9 = '" + KEY.encode() + b"'\n",
        "x" * 5000 + f" '{KEY}' " + "y" * 5000,
    ],
)
def test_a_disguised_secret_is_found(text: str | bytes) -> None:
    assert is_found("a.py", text)


def test_the_line_of_a_secret_that_is_spread_over_lines_is_its_first() -> None:
    text = f"a = 1\nkey = (\n    '{KEY[:12]}'\n    '{KEY[12:]}'\n)\n"
    (finding,) = inspect(added("a.py", text))["secrets"].findings
    assert finding.line == 3


def test_a_file_too_long_to_be_searched_is_for_a_person() -> None:
    unread = ChangedFile("a", None, None, mode_before="", size_after=6_000_000)
    assert ("person", "too long to be searched for secrets in whole") in asked(inspect(unread)["secrets"])


def test_without_added_text_the_gate_does_not_apply_and_says_so() -> None:
    result = inspect(a_file("a.py", "x\n", None))["secrets"]
    assert (result.outcome, result.reason) == ("not_applicable", "no text was added")
