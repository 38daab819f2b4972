"""What an agent is: something that turns an assignment into a command to run in a sandbox, and reads what it tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from switchyard_sandbox import HostTool, Program

from switchyard.agents.events import AgentEvent, Ending, Outcome
from switchyard.packets import RunId, TaskId


class AgentError(Exception):
    """Root of what switchyard.agents raises: an agent that can't be started as configured."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Places:
    """Where an agent finds things, as absolute paths inside its sandbox."""

    workdir: str
    prompt_file: str
    context_file: str


@dataclass(frozen=True)
class Assignment:
    """One attempt at one task."""

    run_id: RunId
    task_id: TaskId
    attempt: int
    """1 for the first; a repair starts from the tree of the failed attempt."""
    model: str
    places: Places
    prompt: str = ""
    """What the prompt file holds."""
    offers_tools: bool = False
    """Whether `switchyard mcp` runs in the sandbox."""


@dataclass(frozen=True)
class Launch:
    """How to start the agent for one turn."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """Files to lay beside the prompt before, by name."""
    stdin: str = ""


@dataclass(frozen=True)
class Capabilities:
    """What a kind of agent can do beyond running once."""

    tells_events: bool = False
    """Its output is a stream of events, so that it can be told how a turn ended; else only the exit code is known."""
    resumes: bool = False
    """A session takes another prompt after a turn ended."""


class Agent(Protocol):
    """A kind of agent. Its exit code proves nothing: the diff and the checks do."""

    name: str
    programs: tuple[Program | HostTool, ...]
    """What its sandbox needs of the host to run it."""
    capabilities: Capabilities

    def prepare(self, assignment: Assignment) -> Launch:
        """The command that works on the assignment. Raises AgentError when the configuration can't serve."""

    def resume(self, assignment: Assignment, session_id: str, prompt: str) -> Launch:
        """The command for another turn of a session, in the same sandbox.

        Raises:
            AgentError: This kind has no sessions: `capabilities.resumes` is False.
        """

    def parse(self, line: str) -> list[AgentEvent]:
        """The events of one line of output; what is no event of the stream is none. Never raises."""

    def finish(self, ending: Ending, events: Sequence[AgentEvent]) -> Outcome:
        """How the turn ended, by its process and its events."""
