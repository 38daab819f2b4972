"""How a station's failure travels: as a recorded value through the engine, as `Stopped` through the line."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

from jinja2 import TemplateError
from pydantic import BaseModel
from switchyard_context import ContextError
from switchyard_git import GitError
from switchyard_merge import MergeError
from switchyard_sandbox import BoxLost, SandboxError

from switchyard.agents import AgentError
from switchyard.errors import WorkFailed
from switchyard.ledger import LedgerError
from switchyard.packets import TaskState
from switchyard.workflow.engine import Json
from switchyard.workflow.storage import StateUnwritable, blocked_by_disk

KNOWN = (SandboxError, GitError, MergeError, ContextError, AgentError, LedgerError, TemplateError, WorkFailed)
"""The roots of what the parts raise; anything else is a bug of ours."""
CANCELLED = "cancelled by a person"
LOST_BOXES = 3
"""How often a step is begun again when its sandbox is lost; no attempt is used up by that."""


class Stopped(Exception):
    """The line of one task ends here, in `state`, for `reason`."""

    def __init__(self, state: TaskState, reason: str) -> None:
        super().__init__(reason)
        self.state: TaskState = state
        self.reason = reason


def answer(function: Callable[[], BaseModel | None], *, is_cancelled: Callable[[], bool], state: Path) -> Json:
    """Run a station; its packet as JSON, or what known failure stopped it as `{"failed", "hint"}`.

    Args:
        function: The station; begun again when it loses its sandbox.
        is_cancelled: Asked when a sandbox was lost: a person who cancelled the task may have ended it.
        state: The state folder. What fails because its disk is full is no failure of the task.

    Raises:
        StateUnwritable: Nothing more can be written; the step is begun again by a later run.
    """
    for tries_left in reversed(range(LOST_BOXES)):
        try:
            packet = _unless_disk_is_full(function, state)
        except StateUnwritable:
            raise
        except BoxLost as err:
            if is_cancelled():
                return {"failed": CANCELLED, "hint": "", "state": "cancelled"}
            if not tries_left:
                return _failure(err)
        except KNOWN as err:
            return _failure(err)
        except Exception as err:
            # A bug of ours ends this task with its trace; the rest of the run goes on.
            trace = "".join(traceback.format_exception(err))
            return {"failed": f"a bug in switchyard: {err!r}\n{trace}", "hint": "please report it with the trace"}
        else:
            return None if packet is None else packet.model_dump(mode="json")
    raise AssertionError("the loop returns")


def _unless_disk_is_full(function: Callable[[], BaseModel | None], state: Path) -> BaseModel | None:
    try:
        return function()
    except Exception as err:
        if blocked := blocked_by_disk(err, state):
            raise blocked from err
        raise


def stop_if_failed(recorded: Json) -> Json:
    """The recorded answer of a station, or Stopped where it says that the station failed."""
    if isinstance(recorded, dict) and "failed" in recorded:
        hint = f" ({recorded['hint']})" if recorded["hint"] else ""
        raise Stopped(recorded.get("state", "failed"), f"{recorded['failed']}{hint}")
    return recorded


def _failure(err: Exception) -> Json:
    output = getattr(err, "output", "")
    detail = f"{err}\n{output}" if output else str(err)
    return {"failed": detail, "hint": getattr(err, "hint", "")}
