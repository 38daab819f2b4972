"""The agent that is any command: a template of arguments, filled in for each attempt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from switchyard.agents.contract import AgentError, Assignment, Launch

PLACEHOLDERS = ("task_id", "attempt", "prompt_file", "workdir", "context_file", "model")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class CommandAgent:
    """Runs the configured arguments with `{task_id}`, `{attempt}` and the like filled in."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        """Check the template.

        Raises:
            AgentError: The command is empty or holds a placeholder that does not exist.
        """
        if not command:
            raise AgentError(
                f"agent {name!r} has no command",
                hint='set command = ["sh", "agent.sh"] in its table of switchyard.toml',
            )
        for unknown in sorted(set(_PLACEHOLDER.findall("\0".join(command))) - set(PLACEHOLDERS)):
            raise AgentError(
                f"agent {name!r}: unknown placeholder {{{unknown}}} in its command",
                hint="known ones: " + ", ".join(f"{{{known}}}" for known in PLACEHOLDERS),
            )
        self.name = name
        self._command = tuple(command)

    def prepare(self, assignment: Assignment) -> Launch:
        """Fill in the template; the values also stand in the environment as `SWITCHYARD_<NAME>`."""
        values = _values(assignment)
        argv = tuple(_fill(part, values) for part in self._command)
        return Launch(argv=argv, env={f"SWITCHYARD_{name.upper()}": value for name, value in values.items()})


def _values(assignment: Assignment) -> dict[str, str]:
    return {
        "task_id": assignment.task_id,
        "attempt": str(assignment.attempt),
        "prompt_file": assignment.places.prompt_file,
        "workdir": assignment.places.workdir,
        "context_file": assignment.places.context_file,
        "model": assignment.model,
    }


def _fill(part: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), part)
