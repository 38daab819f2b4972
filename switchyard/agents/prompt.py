"""What an agent is told: the task, its acceptance, where to look, what will be checked, what went wrong before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from switchyard.packets import PlannedTask


@dataclass(frozen=True)
class Briefing:
    """Everything the prompt is rendered from."""

    task: PlannedTask
    attempt: int
    context_file: str
    checks: Mapping[str, str]
    schema_file: str = ""
    """The JSON schema of `result.json`; empty: none is asked for."""
    network: Sequence[str] = ()
    protected: Sequence[str] = ()
    feedback: Sequence[str] = field(default_factory=tuple)
    """What the failed attempt before this one did wrong, a passage each."""


def render_prompt(briefing: Briefing) -> str:
    """The prompt as Markdown; a template variable that does not exist is an error, never an empty string."""
    return _template().render(
        task=briefing.task,
        attempt=briefing.attempt,
        attempts=briefing.task.repairs + 1,
        context_file=briefing.context_file,
        checks=briefing.checks,
        schema_file=briefing.schema_file,
        network=briefing.network,
        protected=briefing.protected,
        feedback=briefing.feedback,
    )


@cache
def _template() -> Template:
    source = files("switchyard_templates").joinpath("prompts/build.md.j2").read_text(encoding="utf-8")
    # The prompt is Markdown for a model, not HTML: escaping would corrupt code.
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    return environment.from_string(source)
