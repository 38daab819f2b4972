"""Coverage reports in JSON, as their tools write them: what is not needed of them is passed over."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Line = Annotated[int, Field(ge=0, le=10_000_000)]
Offset = Annotated[int, Field(ge=0, le=1_000_000_000)]
Name = Annotated[str, Field(max_length=5000)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class CoveragePyFile(_Document):
    """One file of `coverage json`."""

    executed_lines: list[Line]
    missing_lines: list[Line]
    excluded_lines: list[Line] = Field(default_factory=list)


class CoveragePy(_Document):
    """The report of `coverage json`, formats 2 and 3: https://coverage.readthedocs.io/en/latest/commands/cmd_json.html"""

    files: dict[Name, CoveragePyFile]


class _Point(_Document):
    line: Line


class _Range(_Document):
    start: _Point


class IstanbulFile(_Document):
    """One file of `coverage-final.json`, which nyc, jest, vitest and c8 write."""

    path: Name
    statement_map: Annotated[dict[str, _Range], Field(alias="statementMap")]
    s: dict[str, Annotated[int, Field(ge=0)]]


class _V8Range(_Document):
    start: Annotated[Offset, Field(alias="startOffset")]
    end: Annotated[Offset, Field(alias="endOffset")]
    count: Annotated[int, Field(ge=0)]


class _V8Function(_Document):
    ranges: list[_V8Range]


class _V8Script(_Document):
    url: Name
    functions: list[_V8Function]


class V8Run(_Document):
    """What one process leaves in the folder that `NODE_V8_COVERAGE` names."""

    result: list[_V8Script]
