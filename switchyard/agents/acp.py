"""Any program that speaks the Agent Client Protocol, such as Gemini's: driven from inside of the sandbox."""

from __future__ import annotations

from collections.abc import Sequence

from switchyard_sandbox import HostTool, Program

from switchyard.agents.command import CommandAgent, variables_of
from switchyard.agents.contract import AgentError, Assignment, Capabilities, Launch
from switchyard.agents.events import AgentEvent, Ending, EventKind, Outcome, Usage, conclude, read_object

CLIENT = "switchyard-acp"
"""The program of ours that drives it: the protocol goes both ways, and a sandbox's streams are its own."""
_ENV = {"GEMINI_CLI_TRUST_WORKSPACE": "true"}
"""Gemini asks whether it may trust a folder; this one is in a sandbox."""
_KINDS: dict[str, EventKind] = {
    "started": "started",
    "message": "message",
    "tool_call": "tool_call",
    "tool_result": "tool_result",
    "usage": "usage",
    "result": "result",
}


class AcpAgent:
    """Runs one turn of a new session, and grants what the agent asks for: the sandbox is what it may do."""

    capabilities = Capabilities(tells_events=True)

    def __init__(self, name: str, command: Sequence[str], programs: Sequence[Program | HostTool] = ()) -> None:
        """Check the command, in which the placeholders of a plain command are filled in too.

        Raises:
            AgentError: The command is empty or holds a placeholder that does not exist.
        """
        self.name = name
        self.programs = tuple(programs)
        self._command = CommandAgent(name, command)

    def prepare(self, assignment: Assignment) -> Launch:
        """The client, with the agent's command behind it and the prompt on its standard input."""
        argv = self._command.prepare(assignment).argv
        return Launch((CLIENT, "--", *argv), {**_ENV, **variables_of(assignment)}, stdin=assignment.prompt)

    def resume(self, assignment: Assignment, session_id: str, prompt: str) -> Launch:
        """Few programs load a session without telling all of it again."""
        raise AgentError(f"agent {self.name!r}: a session of the Agent Client Protocol is not resumed")

    def parse(self, line: str) -> list[AgentEvent]:
        """What the client tells; whatever else stands on its output is passed over."""
        told = read_object(line)
        kind = _KINDS.get(str(told.get("event"))) if told is not None else None
        if told is None or kind is None:
            return []
        usage = _usage(told.get("usage")) if kind == "usage" else None
        text, session = str(told.get("text", "")), str(told.get("session_id", ""))
        return [AgentEvent(kind, text, ok=told.get("ok", True) is True, session_id=session, usage=usage)]

    def finish(self, ending: Ending, events: Sequence[AgentEvent]) -> Outcome:
        """By the reason for which the turn stopped."""
        return conclude(ending, events)


def _usage(told: object) -> Usage:
    counts = told if isinstance(told, dict) else {}
    names = ("input_tokens", "cached_tokens", "output_tokens")
    given, cached, made = (value if isinstance(value := counts.get(name), int) else 0 for name in names)
    return Usage("thread", given, cached, made)
