"""What a reviewer is told: its role, the task, the change and the checks' results, all of it quoted as foreign text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

from switchyard.packets import CheckResult, Reviewer
from switchyard.quoting import block, code

MOST_DIFF_CHARS = 60_000
"""Of the diff in the prompt itself; the whole lies in a file beside the work tree."""
MOST_PATHS = 200
_FRAME = "verify_frame.md.j2"


@dataclass(frozen=True)
class Matter:
    """What was asked for, in the words of whoever asked."""

    title: str
    body: str
    acceptance: tuple[str, ...] = ()
    test_requirements: str = ""


@dataclass(frozen=True)
class ReviewBriefing:
    """Everything a reviewer's prompt is rendered from; there is nothing in it of who made the change, or how."""

    reviewer: Reviewer
    matter: Matter
    diff: bytes
    diff_file: str
    changed: Sequence[str]
    """The paths that the change touches."""
    checks: Sequence[CheckResult]
    schema_file: str


def render_review(briefing: ReviewBriefing) -> str:
    """The prompt as Markdown, in characters that any program takes on its standard input."""
    diff = briefing.diff.decode("utf-8", "replace")
    text = (
        _environment()
        .get_template(_template_of(briefing.reviewer))
        .render(
            matter=briefing.matter,
            diff=diff[:MOST_DIFF_CHARS],
            is_cut=len(diff) > MOST_DIFF_CHARS,
            diff_file=briefing.diff_file,
            changed=briefing.changed[:MOST_PATHS],
            more_changed=max(0, len(briefing.changed) - MOST_PATHS),
            checks=briefing.checks,
            schema_file=briefing.schema_file,
        )
    )
    return text.encode("utf-8", "backslashreplace").decode()


def prompt_digest(reviewer: Reviewer) -> str:
    """SHA-256 of the templates behind a reviewer's prompt: another prompt makes another judge."""
    sources = [_source(_FRAME), _source(_template_of(reviewer))]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()


def _template_of(reviewer: Reviewer) -> str:
    return f"verify_{reviewer}.md.j2"


@cache
def _source(name: str) -> str:
    return files("switchyard_templates").joinpath("prompts", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    # The prompt is Markdown for a model, not HTML: escaping would corrupt code. Foreign text goes through the filters.
    made = Environment(
        loader=FunctionLoader(_source),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701
    )
    made.filters.update(code=code, block=block)
    return made
