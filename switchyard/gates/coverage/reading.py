"""Tells the formats of coverage reports apart by what is in them, and reads them; nothing in one is believed."""

from __future__ import annotations

from urllib.parse import unquote

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from switchyard.gates.coverage.documents import CoveragePy, IstanbulFile, V8Run
from switchyard.gates.coverage.model import MOST_LINES, Lines, Report, Spans, Unreadable
from switchyard.gates.coverage.texts import read_go, read_jacoco, read_lcov

MOST_REPORT_BYTES = 32_000_000
_ISTANBUL = TypeAdapter(dict[str, IstanbulFile])
_JAVASCRIPT = frozenset(("javascript",))


def read_report(raw: bytes) -> Report:
    """Read a report of coverage.py, Istanbul, c8, V8 or Go, one in LCOV, or JaCoCo's XML.

    Raises:
        Unreadable: It is none of these, or is not whole.
    """
    if len(raw) > MOST_REPORT_BYTES:
        raise Unreadable(f"it is longer than {MOST_REPORT_BYTES // 1_000_000} MB")
    start = raw[:200].lstrip()
    if start.startswith(b"mode:"):
        return read_go(raw)
    if start.startswith((b"TN:", b"SF:")):
        return read_lcov(raw)
    if start.startswith(b"<"):
        return read_jacoco(raw)
    return _read_json(raw)


def _read_json(raw: bytes) -> Report:
    try:
        document = from_json(raw)
        if not isinstance(document, dict):
            raise Unreadable("it holds no object")
        if isinstance(document.get("result"), list):
            return _of_v8(V8Run.model_validate(document))
        if isinstance(document.get("files"), dict) and "meta" in document:
            return _of_coverage_py(CoveragePy.model_validate(document))
        return _of_istanbul(_ISTANBUL.validate_python(document))
    except ValidationError as err:
        fault = err.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part)[:60] for part in fault["loc"][:6])
        raise Unreadable(f"it is no report that is known here: {place}: {fault['msg']}") from err
    except ValueError as err:
        raise Unreadable(f"it is no JSON: {err}") from err


def _of_coverage_py(document: CoveragePy) -> Report:
    files: dict[str, Lines | Spans] = {}
    total = 0
    for name, file in document.files.items():
        total += len(file.executed_lines) + len(file.missing_lines)
        files[name] = Lines(
            frozenset(file.executed_lines), frozenset(file.missing_lines), frozenset(file.excluded_lines)
        )
    _bound(total)
    return Report("coverage.py", frozenset(("python",)), files)


def _of_istanbul(document: dict[str, IstanbulFile]) -> Report:
    files: dict[str, Lines | Spans] = {}
    for file in document.values():
        covered = {where.start.line for key, where in file.statement_map.items() if file.s.get(key, 0)}
        missed = {where.start.line for where in file.statement_map.values()} - covered
        files[file.path] = Lines(frozenset(covered), frozenset(missed))
    return Report("Istanbul", _JAVASCRIPT, files)


def _of_v8(document: V8Run) -> Report:
    files: dict[str, Lines | Spans] = {}
    for script in document.result:
        if script.url.startswith("file://"):
            spans = [(one.start, one.end, one.count) for function in script.functions for one in function.ranges]
            files[unquote(script.url.removeprefix("file://"), errors="surrogateescape")] = Spans(tuple(spans))
    return Report("V8", _JAVASCRIPT, files)


def _bound(lines: int) -> None:
    if lines > MOST_LINES:
        raise Unreadable(f"it speaks of more than {MOST_LINES} lines")
