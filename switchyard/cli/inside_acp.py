"""`switchyard-acp` as a sandbox has it: drives a program that speaks the Agent Client Protocol through one turn.

It stands inside of the sandbox since the protocol goes both ways, and prints what happens as lines of JSON. It imports
the protocol's package and the standard library alone: nothing else is there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from acp import PROTOCOL_VERSION, RequestError, spawn_agent_process, text_block
from acp.schema import AllowedOutcome, ClientCapabilities, DeniedOutcome, Implementation, RequestPermissionResponse

if TYPE_CHECKING:
    from acp import Client

AUTH_REQUIRED = -32000
LINE_BYTES = 64 << 20
"""The longest message; the protocol puts each on one line."""
_GRANTS = ("allow_always", "allow_once")


def run() -> None:
    """Read the command line, go through the turn, exit with 0 if it ended as agreed."""
    parser = argparse.ArgumentParser(prog="switchyard-acp")
    parser.add_argument("command", nargs="+")
    told = parser.parse_args()
    try:
        ended = asyncio.run(_turn(told.command, sys.stdin.read()))
    except (RequestError, OSError, ConnectionError, EOFError) as err:
        detail = getattr(err, "data", None)
        _tell("result", ok=False, text=f"{err}: {json.dumps(detail)}" if detail else str(err) or type(err).__name__)
        ended = False
    sys.exit(0 if ended else 1)


class Watcher:
    """The client's side of the protocol: grants every permission, and tells what the agent does."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._called: set[str] = set()

    async def request_permission(
        self, session_id: str, tool_call: Any, options: Sequence[Any], **_: Any
    ) -> RequestPermissionResponse:
        """The sandbox is what the agent may do, so nothing is asked of anybody."""
        offered = {option.kind: option.option_id for option in options}
        chosen = next((offered[kind] for kind in _GRANTS if kind in offered), None)
        if chosen is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=chosen))

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        """One thing that the agent did."""
        match update.session_update:
            case "agent_message_chunk":
                self.said.append(getattr(update.content, "text", ""))
            case "tool_call" | "tool_call_update":
                self._note_call(update)

    def _note_call(self, update: Any) -> None:
        known, status = update.tool_call_id, update.status
        if known not in self._called:
            self._called.add(known)
            self.say()
            _tell("tool_call", text=str(update.kind or update.title or ""))
        if status in ("completed", "failed"):
            _tell("tool_result", text=str(update.kind or ""), ok=status == "completed")

    def say(self) -> str:
        """Tell what was said since the last time, as one message."""
        text = "".join(self.said)
        self.said.clear()
        if text:
            _tell("message", text=text)
        return text


async def _turn(command: Sequence[str], prompt: str) -> bool:
    watcher, here = Watcher(), str(Path.cwd())
    # It has what this side of the protocol needs; files and terminals are not offered.
    client = cast("Client", watcher)
    limits = {"limit": LINE_BYTES, "stderr": None}
    async with spawn_agent_process(
        client, command[0], *command[1:], env=dict(os.environ), cwd=here, transport_kwargs=limits
    ) as (agent, _):
        greeted = await agent.initialize(
            protocol_version=PROTOCOL_VERSION,
            client_capabilities=ClientCapabilities(),
            client_info=Implementation(name="switchyard", version="1"),
        )
        session = await _open(agent, greeted, here)
        _tell("started", session_id=session)
        answer = await agent.prompt(session_id=session, prompt=[text_block(prompt)])
        final = watcher.say()
        ok = answer.stop_reason == "end_turn"
        _tell_usage(answer)
        _tell("result", ok=ok, session_id=session, text=final if ok else f"it stopped: {answer.stop_reason}")
        return ok


async def _open(agent: Any, greeted: Any, here: str) -> str:
    """A new session; where the agent wants to be told first how it is paid, by the key of its environment."""
    try:
        return str((await agent.new_session(cwd=here, mcp_servers=[])).session_id)
    except RequestError as err:
        method = next((one.id for one in greeted.auth_methods or [] if _takes_key(one.id)), None)
        if err.code != AUTH_REQUIRED or method is None:
            raise
    await agent.authenticate(method_id=method)
    return str((await agent.new_session(cwd=here, mcp_servers=[])).session_id)


def _takes_key(method: str) -> bool:
    return "api" in method.lower() and "key" in method.lower()


def _tell_usage(answer: Any) -> None:
    usage = answer.usage
    if usage is not None:
        counts = (usage.input_tokens, usage.cached_read_tokens or 0, usage.output_tokens)
        _tell("usage", usage=dict(zip(("input_tokens", "cached_tokens", "output_tokens"), counts, strict=True)))


def _tell(kind: str, **fields: object) -> None:
    sys.stdout.write(f"{json.dumps({'event': kind, **fields})}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run()
