"""The JSON of every command that tells of running work, pinned as golden files with what changes masked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from end_to_end.plot import Plot

GOLDEN = Path(__file__).parent.parent / "cli" / "golden"
MASKS = [
    (re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}"), "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "ARTIFACT"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "COMMIT"),
    (re.compile(r"\bbox-[0-9a-f]+\b"), "BOX"),
    (re.compile(r"(file://)?/[^\"]*?/(?=repo/\.git/|origin\.git)"), r"\1/FOLDER/"),
]
MASKED_KEYS = {"duration_s": "SECONDS", "tokens": "TOKENS"}


def masked(value: Any, key: str = "") -> Any:
    """The document with everything that differs from run to run replaced by a word."""
    match value:
        case dict():
            return {masked(name): masked(inner, name) for name, inner in value.items()}
        case list():
            return [masked(inner) for inner in value]
        case int() | float() if key in MASKED_KEYS:
            return MASKED_KEYS[key]
        case str():
            for pattern, word in MASKS:
                value = pattern.sub(word, value)
    return value


def shape(value: Any) -> Any:
    """What a document is made of: keys and the types of their values, one item for a list."""
    match value:
        case dict():
            return {name: shape(inner) for name, inner in sorted(value.items())}
        case list():
            return [shape(value[0])] if value else []
    return type(value).__name__


def agreed(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.sandbox
def test_every_document_about_running_work_is_as_agreed(tmp_path: Path) -> None:
    plot = Plot(tmp_path, {"stuck": "echo half > half.txt\nexit 1\n"})
    plot.task("done", "targets: [kept.txt]")
    plot.task("stuck", "depends_on: [done]")

    def document(*command: str) -> Any:
        return masked(plot.run(*command, "--json").document)

    found = {"plan": document("plan")}
    stream = plot.run("run", "--json", "--concurrency", "1").events
    assert [event["seq"] for event in stream] == list(range(1, len(stream) + 1))
    found["run"] = [masked(event) for event in stream]
    found["show"] = document("show", "stuck")
    for name in ("status", "escalation list", "stack status", "sandbox list", "sandbox reap", "ledger verify"):
        found[name.replace(" ", "_")] = document(*name.split())
    found["stack_land"] = document("stack", "land", "--dry-run")
    found["stack_approve"] = document("stack", "approve", "done", "--by", "ada")
    found["ledger_tail"] = masked(plot.run("ledger", "tail", "-n", "1", "--json").events)
    found["escalation_reject"] = document("escalation", "reject", "stuck", "-m", "no")
    found["error"] = document("cancel", "done")
    found["sandbox_run"] = masked(
        plot.run("sandbox", "run", "--json", "--", "sh", "-c", "echo out; echo err >&2; exit 3").document
    )
    found["doctor"] = shape(plot.run("doctor", "--json").document)
    found["sandbox_probe"] = shape(plot.run("sandbox", "probe", "--json").document)
    different = [name for name, what in found.items() if what != agreed(name)]
    (tmp_path / "found.json").write_text(json.dumps(found, indent=2))
    assert not different, f"see {tmp_path / 'found.json'}"
