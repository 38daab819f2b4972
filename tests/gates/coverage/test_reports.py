"""Reports of real tools, and what is no report."""

from __future__ import annotations

import json

import pytest

from gates.coverage.samples import REPORTS, added, judged, missed, sample
from switchyard.gates.coverage import MOST_REPORT_BYTES, Lines, Unreadable, read_report

PRICES_JS = ("v8.json", "c8.json", "istanbul.json", "c8.lcov")


@pytest.mark.parametrize(
    ("report", "tool", "name"),
    [
        ("coverage_py.json", "coverage.py", "shop/prices.py"),
        ("coverage_py.lcov", "LCOV", "shop/prices.py"),
        ("v8.json", "V8", "/workspace/shop/prices.js"),
        ("c8.json", "Istanbul", "/workspace/shop/prices.js"),
        ("c8.lcov", "LCOV", "shop/prices.js"),
        ("istanbul.json", "Istanbul", "/workspace/shop/prices.js"),
        ("go.out", "Go", "example.com/acme/shop/prices/prices.go"),
        ("jacoco.xml", "JaCoCo", "com/acme/shop/Prices.java"),
    ],
)
def test_the_format_is_known_by_what_is_in_the_report(report: str, tool: str, name: str) -> None:
    read = read_report(sample(report))
    assert read.tool == tool
    assert name in read.files


@pytest.mark.parametrize("report", PRICES_JS)
def test_every_tool_of_node_finds_the_same_lines_not_run(report: str) -> None:
    path = "shop/prices.js"
    result = judged(sample(report), added(path, REPORTS / "prices.js"))
    # The throw, the whole of `refund`, and what an added comment takes out of the report.
    assert {line for _, line in missed(result)} - {26} == {12, 19} | ({27} if report != "v8.json" else set())
    assert result.outcome == "failed"


def test_lines_of_python_count_once_however_long_the_statement() -> None:
    result = judged(sample("coverage_py.json"), added("shop/prices.py", REPORTS / "prices.py.txt"))
    assert missed(result) == [("shop/prices.py", 16), ("shop/prices.py", 23)]
    assert result.reason == "50 % of 12 lines that changed are run by tests; 80 % are wanted"


def test_a_go_profile_is_read_through_the_module_that_it_names() -> None:
    file = added("services/go/prices/prices.go", REPORTS / "prices.go")
    result = judged(sample("go.out"), file, modules={"example.com/acme/shop": "services/go"})
    assert {line for _, line in missed(result)} == {14, 19}


def test_a_report_of_jacoco_is_read_though_it_names_no_folder() -> None:
    file = added("app/src/main/java/com/acme/shop/Prices.java", REPORTS / "Prices.java")
    assert missed(judged(sample("jacoco.xml"), file)) == [(file.path, 6)]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"files": {}',
        b'{"meta": {}, "files": {"a.py": {"executed_lines": ["1"], "missing_lines": []}}}',
        b'{"meta": {}, "files": {"a.py": {"executed_lines": [99999999999], "missing_lines": []}}}',
        b'{"a.js": {"path": "a.js", "statementMap": {"0": {"start": {"line": -1}}}, "s": {}}}',
        b'{"result": [{"url": "file:///a.js", "functions": [{"ranges": [{"startOffset": 0}]}]}]}',
        b'{"a":' * 100_000,
        b"mode: set\nno block\n",
        b"mode: set\na.go:1.1,9999999.1 1 1\na.go:1.1,9999999.1 1 1\n",
        b"SF:a.py\nDA:one,1\nend_of_record\n",
        b"<report><package",
        b'<!DOCTYPE report [<!ENTITY a "aaaa">]><report>&a;</report>',
        b"<html></html>",
        b'<report><package name="a"><sourcefile name="B.java"><line nr="x" ci="1"/></sourcefile></package></report>',
        b" " * (MOST_REPORT_BYTES + 1),
    ],
    ids=lambda raw: repr(raw[:30]),
)
def test_what_is_no_report_is_refused(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read_report(raw)


@pytest.mark.parametrize(
    "raw",
    [b"SF:a.java\nend_of_record\n", b'<report><package name=""><sourcefile name="a.java"/></package></report>'],
)
def test_a_file_without_code_is_known_all_the_same(raw: bytes) -> None:
    assert read_report(raw).files == {"a.java": Lines()}


def test_what_one_process_of_many_ran_was_run() -> None:
    one = Lines(covered=frozenset((1, 2)), missed=frozenset((3, 4)), excluded=frozenset((5, 6)))
    other = Lines(covered=frozenset((3,)), missed=frozenset((1, 5)))
    assert one.with_run(other) == Lines(frozenset((1, 2, 3)), frozenset((4, 5)), frozenset((6,)))


def test_offsets_of_v8_count_utf16_units() -> None:
    source = "const smile = '😀😀😀';\nfunction gone() {\n  return 1;\n}\nmodule.exports = 2;\n"
    start = source.encode("utf-16-le").index("function".encode("utf-16-le")) // 2
    end = start + len("function gone() {\n  return 1;\n}")
    spans = [(0, 200, 1), (start, end, 0)]
    ranges = [{"startOffset": first, "endOffset": last, "count": count} for first, last, count in spans]
    functions = [{"functionName": "", "isBlockCoverage": True, "ranges": [span]} for span in ranges]
    raw = json.dumps({"result": [{"scriptId": "1", "url": "file:///workspace/a.js", "functions": functions}]})
    assert missed(judged(raw.encode(), added("a.js", source.encode()))) == [("a.js", 2)]
