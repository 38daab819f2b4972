"""What an agent is told: the task, its acceptance, where to look, what will be checked, what went wrong before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from switchyard.packets import PlannedTask
from switchyard.packets.roles import RoleName

GUIDES = ("AGENTS.md", "CLAUDE.md")
"""Where repositories tell agents how to work on them."""
_GUIDES = {"codex": "AGENTS.md", "claude": "CLAUDE.md"}


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
    role: RoleName = "build"
    criteria: str = ""
    """What a clarifier proposed as acceptance, quoted; empty: nothing."""
    plan: str = ""
    """What a planner proposed, quoted; empty: there is no plan."""
    unread: Sequence[str] = ()
    """The repository's guides for agents that this one does not load by itself."""


def render_prompt(briefing: Briefing) -> str:
    """The prompt as Markdown; a template variable that does not exist is an error, never an empty string."""
    return _template(briefing.role).render(
        task=briefing.task,
        attempt=briefing.attempt,
        attempts=briefing.task.repairs + 1,
        context_file=briefing.context_file,
        checks=briefing.checks,
        schema_file=briefing.schema_file,
        network=briefing.network,
        protected=briefing.protected,
        feedback=briefing.feedback,
        criteria=briefing.criteria,
        plan=briefing.plan,
        unread=briefing.unread,
    )


def unread_guides(kind: str, there: Collection[str]) -> list[str]:
    """Which of a repository's guides an agent of a kind has to be told of, since its program loads another, or none."""
    own = _GUIDES.get(kind)
    return [] if own in there else [name for name in GUIDES if name in there]


@cache
def _template(role: RoleName) -> Template:
    source = files("switchyard_templates").joinpath(f"prompts/{role}.md.j2").read_text(encoding="utf-8")
    # The prompt is Markdown for a model, not HTML: escaping would corrupt code.
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    return environment.from_string(source)
