"""The agent that is any command: a template of arguments, filled in for each attempt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from switchyard_sandbox import HostTool, Program

from switchyard.agents.contract import AgentError, Assignment, Capabilities, Launch
from switchyard.agents.events import AgentEvent, Ending, Outcome

PLACEHOLDERS = ("task_id", "attempt", "prompt_file", "workdir", "context_file", "model")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class CommandAgent:
    """Runs the configured arguments with `{task_id}`, `{attempt}` and the like filled in."""

    programs: tuple[Program | HostTool, ...] = ()
    capabilities = Capabilities()

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
        argv = tuple(_fill(part, values_of(assignment)) for part in self._command)
        return Launch(argv=argv, env=variables_of(assignment))

    def resume(self, assignment: Assignment, session_id: str, prompt: str) -> Launch:
        """A plain command has no sessions."""
        raise AgentError(f"agent {self.name!r} is a plain command and has no session to resume")

    def parse(self, line: str) -> list[AgentEvent]:
        """Its output is its own."""
        return []

    def finish(self, ending: Ending, events: Sequence[AgentEvent]) -> Outcome:
        """The exit code is all that is known."""
        if ending.exit_code == 0 and not ending.limit:
            return Outcome(True)
        ended = f"signal {ending.signal}" if ending.signal else f"exit code {ending.exit_code}"
        return Outcome(False, f"ended by the {ending.limit} limit" if ending.limit else f"ended with {ended}")


def values_of(assignment: Assignment) -> dict[str, str]:
    """What the placeholders stand for."""
    return {
        "task_id": assignment.task_id,
        "attempt": str(assignment.attempt),
        "prompt_file": assignment.places.prompt_file,
        "workdir": assignment.places.workdir,
        "context_file": assignment.places.context_file,
        "model": assignment.model,
    }


def variables_of(assignment: Assignment) -> dict[str, str]:
    """The same as variables, which every kind of agent finds."""
    return {f"SWITCHYARD_{name.upper()}": value for name, value in values_of(assignment).items()}


def _fill(part: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), part)
