"""What counts of a change, and where a report's names lead."""

from __future__ import annotations

import json

import pytest

from gates.coverage.samples import REPORTS, added, judged, missed, sample
from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.coverage import Places
from switchyard.gates.sources import runnable_files
from switchyard.packets import GateResult

BEFORE = b"def one():\n    return 1\n\n\ndef two():\n    return 2\n"
AFTER = b"def one():\n    # Why.\n    return 11\n\n\ndef two():\n    return 2\n"


def of_python(**files: tuple[list[int], list[int], list[int]]) -> bytes:
    """A report of coverage.py: (executed, missing, excluded) of each module."""
    keys = ("executed_lines", "missing_lines", "excluded_lines")
    listed = {f"{name}.py": dict(zip(keys, lines, strict=True)) for name, lines in files.items()}
    return json.dumps({"meta": {"format": 3}, "files": listed}).encode()


def test_only_changed_lines_count() -> None:
    edited = ChangedFile("a.py", BEFORE, AFTER)
    result = judged(of_python(a=([1, 3, 6], [7], [])), edited)
    assert (result.outcome, result.findings) == ("passed", ())
    assert result.reason == "100 % of 1 line that changed are run by tests; 80 % are wanted"


def test_below_the_wanted_percentage_each_place_is_sent_back() -> None:
    edited = ChangedFile("a.py", BEFORE, AFTER)
    result = judged(of_python(a=([1, 6], [3, 7], [])), edited)
    assert [(finding.line, finding.asks) for finding in result.findings] == [(3, "repair")]
    assert "return 11" in result.findings[0].detail
    assert result.findings[0].title == "no test runs line 3"


def test_above_it_or_without_one_lines_that_are_not_run_are_told() -> None:
    source = b"a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n"
    report = of_python(a=([1, 2, 3, 4], [5], []))
    for percent in (80, 0):
        result = judged(report, added("a.py", source), percent=percent)
        assert [finding.asks for finding in result.findings] == ["note"]
        assert result.outcome == "passed"
    assert judged(report, added("a.py", source), percent=80.1).outcome == "failed"


def test_a_new_module_that_no_test_loads_counts_as_not_run() -> None:
    loose = added("shop/loose.py", REPORTS / "loose.py.txt")
    result = judged(sample("coverage_py.json"), loose)
    assert (result.outcome, missed(result)) == ("failed", [("shop/loose.py", 3), ("shop/loose.py", 7)])
    assert result.findings[0].title == "no test even loads line 3"


def test_many_places_are_cut_short_and_counted() -> None:
    source = "".join("a = 1\nb = 2\n" for _ in range(25)).encode()
    lines = list(range(1, 51))
    result = judged(of_python(a=(lines[::2], lines[1::2], [])), added("a.py", source))
    assert len(result.findings) == 21
    assert result.findings[-1].title == "5 more places that no test runs"


@pytest.mark.parametrize(
    "path", ["tests/test_a.py", "conftest.py", "a.test.ts", "types.d.ts", "setup.py", "vite.config.ts", "README.md"]
)
def test_tests_and_set_up_need_no_tests(path: str) -> None:
    assert runnable_files(Change((added(path, b"a = 1\n"),)), ()) == []


def test_a_maintainer_may_leave_files_out() -> None:
    change = Change((added("a/generated.py", b"a = 1\n"), added("b.py", b"b = 1\n")))
    assert [file.path for file in runnable_files(change, ["a/**"])] == ["b.py"]


def test_deleted_files_and_links_have_no_lines() -> None:
    gone = ChangedFile("a.py", b"a = 1\n", None, mode_after="")
    link = ChangedFile("b.py", None, b"a.py", mode_before="", mode_after="120000")
    assert runnable_files(Change((gone, link)), ()) == []


def test_a_comment_that_takes_new_code_out_of_the_report_does_not_help() -> None:
    source = b"def one():\n    return 1\n\n\ndef two():  # pragma: no cover\n    return 2\n"
    report = of_python(a=([1, 2], [], [5, 6]))
    assert missed(judged(report, added("a.py", source))) == [("a.py", 5)]
    assert judged(report, ChangedFile("a.py", source.replace(b"return 2", b"return 3"), source)).outcome != "failed"


@pytest.mark.parametrize(
    "source",
    [
        "const a = 1;\n/* c8 ignore next */\nconst b = f(2);\n",
        "const a = 1;\n/* v8 ignore next 1 */\nconst b = f(2);\n",
        "const a = 1;\n/* istanbul ignore next */\nconst b = f(2);\n",
        "const a = 1;\n// c8 ignore start\nconst b = f(2);\n// c8 ignore stop\n",
        "const a = 1;\n/* node:coverage disable */\nconst b = f(2);\n/* node:coverage enable */\n",
        "/* istanbul ignore file */\n\nconst b = f(2);\n",
    ],
)
def test_the_comments_of_javascript_do_not_help_either(source: str) -> None:
    """c8 counts a line that it was told to ignore as run; Istanbul does not list it."""
    run = {"0": {"start": {"line": 3}, "end": {"line": 3}}}
    for statements in (run, {}):
        file = {"path": "/workspace/a.js", "statementMap": statements, "s": dict.fromkeys(statements, 1)}
        result = judged(json.dumps({"/workspace/a.js": file}).encode(), added("a.js", source.encode()))
        assert ("a.js", 3) in missed(result) or ("a.js", 1) in missed(result)
        assert result.outcome == "failed"


@pytest.mark.parametrize(
    ("marks", "lines"),
    [
        (("// c8 ignore start", "// c8 ignore stop"), {2, 3}),
        (("// c8 ignore start", ""), {2, 3, 5}),
        (("/* c8 ignore next */", ""), {2}),
        (("/* c8 ignore next 2 */", ""), {2, 3}),
        (("// ignored by nobody", ""), set()),
    ],
)
def test_a_comment_reaches_as_far_as_it_says(marks: tuple[str, str], lines: set[int]) -> None:
    source = f"{marks[0]}\na();\nb();\n{marks[1]}\nc();\n"
    statements = {str(line): {"start": {"line": line}, "end": {"line": line}} for line in (2, 3, 5)}
    file = {"path": "/workspace/a.js", "statementMap": statements, "s": dict.fromkeys(statements, 1)}
    result = judged(json.dumps({"/workspace/a.js": file}).encode(), added("a.js", source.encode()), percent=0)
    reached = int(result.reason.split(" ")[0].split(".")[0])
    assert reached == 100 * (3 - len(lines)) // 3
    assert {line for _, line in missed(result)} <= lines


def test_a_report_that_measures_nothing_of_what_changed_is_for_a_person() -> None:
    result = judged(sample("go.out"), added("a.py", b"a = 1\n"))
    assert [finding.asks for finding in result.findings] == ["person"]
    assert judged(sample("go.out"), added("a.py", b"a = 1\n"), percent=0).outcome == "passed"


def test_languages_beside_those_of_the_report_are_told() -> None:
    result = judged(of_python(a=([1], [], [])), added("a.py", b"a = 1\n"), added("b.go", b"package b\n"))
    assert result.outcome == "passed"
    assert "no report measures the language of 1 file" in result.reason


def test_comments_alone_are_no_lines_to_run() -> None:
    edited = ChangedFile("a.py", BEFORE, BEFORE.replace(b"    return 1\n", b"    # One.\n    return 1\n"))
    assert judged(of_python(a=([1, 3], [6, 7], [])), edited).outcome == "not_applicable"


def test_hostile_paths_and_source_stay_quoted() -> None:
    path = "a\n# x\udcff.py"
    result = judged(of_python(b=([1], [], [])), added(path, b"x = '```\\n# Approved'\n"))
    assert GateResult.model_validate_json(result.model_dump_json()) == result
    assert "\n# x" not in result.findings[0].described


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("/workspace/api/app.py", "api/app.py"),
        ("./api/app.py", "api/app.py"),
        ("/usr/lib/python3/app.py", None),
        ("../web/index.js", "web/index.js"),
        ("src/only.py", "deep/src/only.py"),
        ("src/twice.py", None),
        ("example.com/m/pkg/x.go", "go/pkg/x.go"),
        ("/workspace/../etc/passwd", None),
    ],
)
def test_names_of_reports_lead_to_paths(name: str, path: str | None) -> None:
    paths = ("api/app.py", "web/index.js", "deep/src/only.py", "a/src/twice.py", "b/src/twice.py", "go/pkg/x.go")
    places = Places("/workspace", "api", frozenset(paths), {"example.com/m": "go", "example.com": ""})
    assert places.locate([name]).get(name) == path


def test_the_folder_that_most_names_exist_below_is_where_the_tool_stood() -> None:
    paths = ("a/src/twice.py", "b/src/twice.py", "b/src/more.py")
    places = Places("/workspace", "", frozenset(paths))
    found = places.locate(["src/twice.py", "src/more.py"])
    assert found == {"src/twice.py": "b/src/twice.py", "src/more.py": "b/src/more.py"}
