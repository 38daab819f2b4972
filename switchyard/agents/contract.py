"""What an agent is: something that turns an assignment into a command to run in a sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

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


@dataclass(frozen=True)
class Launch:
    """How to start the agent for one assignment."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


class Agent(Protocol):
    """A kind of agent. Its exit code proves nothing: the diff and the checks do."""

    name: str

    def prepare(self, assignment: Assignment) -> Launch:
        """The command that works on the assignment. Raises AgentError when the configuration can't serve."""
