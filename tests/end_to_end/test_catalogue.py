"""The catalogue of changes through the real command line: each made by an agent in a sandbox, all in one run."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from catalogue.bad import BAD
from catalogue.changes import Case, Files, ground
from catalogue.good import GOOD
from catalogue.ground import CHECKS, GROUND

from end_to_end.plot import Plot

pytestmark = pytest.mark.sandbox
AGENT = """\
set -eu
tar -xf ".agents/$1.tar"
while read -r gone; do rm "$gone"; done < ".agents/$1.gone"
"""
CONFIG = """\
[agent]
command = ["sh", ".agents/work.sh", "{task_id}"]
[sandbox]
memory_mb = 512
disk_mb = 256
timeout_minutes = 2
allow_degraded = true
[limits]
concurrency = 4
repairs = 0
"""
ONE_OF_EACH = {
    *("py-test-skipped", "web-assertion-loosened", "go-error-logged", "rust-test-ignored", "java-test-disabled"),
    *("py-private-key", "web-new-dependency", "licence-removed", "table-dropped", "workflow-changed", "hook-added"),
    *("program-added", "py-function-with-its-test", "go-row-added", "py-behaviour-changed-as-allowed"),
}


@pytest.mark.slow
def test_one_bad_change_of_each_kind_is_put_before_a_person(tmp_path: Path) -> None:
    run([case for case in (*BAD, *GOOD) if case.is_run or case.name in ONE_OF_EACH], tmp_path)


@pytest.mark.nightly
def test_no_bad_change_passes_and_every_ordinary_one_does(tmp_path: Path) -> None:
    run((*BAD, *GOOD), tmp_path)


def run(cases: Sequence[Case], folder: Path) -> None:
    """Take them all through the line, and look at the remote, the status and the ledger."""
    plot = laid_out(cases, folder)
    ending = plot.run("run", timeout_s=900)
    rows, gates = plot.rows(), failed_gates(plot)
    bad, good = [case for case in cases if case in BAD], [case for case in cases if case in GOOD]
    assert ending.code == 1, ending.err
    reasons = {name: row["needs_person"] for name, row in rows.items()}
    assert {case.name: rows[case.name]["state"] for case in bad} == {case.name: "needs_person" for case in bad}
    assert {case.name: reasons[case.name] for case in good} == {case.name: None for case in good}
    assert set(plot.branches()) == {case.name for case in good}
    for case in bad:
        told = reasons[case.name]["reason"]
        assert case.gate in gates.get(case.name, ()) or case.gate in ("protected", "checks"), (case.name, told)
        assert case.gate != "checks" or "Check `" in told, told
        assert case.gate != "protected" or "protected paths were touched" in told, told


def laid_out(cases: Sequence[Case], folder: Path) -> Plot:
    """The ground, and a copy of it below each ordinary change's name: what is published side by side may not meet."""
    plot = Plot(folder)
    for path, text in GROUND.items():
        put(plot, path, text)
    for case in cases:
        below = f"{case.name}/" if case in GOOD else ""
        for path, text in GROUND.items() if below else ():
            put(plot, below + path, text)
        put(plot, f".agents/{case.name}.tar", packed(case.after, below))
        gone = sorted(set(ground()) - set(case.after))
        put(plot, f".agents/{case.name}.gone", "".join(f"{below}{path}\n" for path in gone).encode())
        checks = {name: f"cd {below or '.'} && {command}" for name, command in CHECKS.items()}
        plot.task(case.name, f"allow: [{', '.join(case.allow)}]", f"checks: {json.dumps(checks)}")
    plot.commit({"switchyard.toml": CONFIG, ".agents/work.sh": AGENT})
    return plot


def put(plot: Plot, path: str, content: bytes) -> None:
    place = plot.repo / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def packed(files: Files, below: str) -> bytes:
    """What differs from the ground, as an archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, (mode, content) in files.items():
            if ground().get(path) != (mode, content):
                entry = tarfile.TarInfo(below + path)
                entry.size, entry.mode = len(content), int(mode[-3:], 8)
                archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def failed_gates(plot: Plot) -> dict[str, set[str]]:
    """Task → the gates that the ledger says failed on it."""
    found: dict[str, set[str]] = {}
    rows: list[dict[str, Any]] = plot.run("ledger", "tail", "--json", "-n", "100000").events
    for row in rows:
        if row["event_type"] == "gate_decided" and row["data"]["outcome"] == "failed":
            found.setdefault(row["task_id"], set()).add(row["data"]["gate"])
    return found
