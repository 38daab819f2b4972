"""The Claude Code command line: `claude -p` with its stream of JSON lines, over the gateway's Anthropic endpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from switchyard_sandbox import HostTool, Program

from switchyard.agents.command import variables_of
from switchyard.agents.contract import Assignment, Capabilities, Launch
from switchyard.agents.events import AgentEvent, Ending, Outcome, Usage, conclude, read_object

_SCRIPT = """\
: "${ANTHROPIC_BASE_URL:?names no endpoint: add one of kind anthropic under [gateway] in switchyard.toml}"
exec "$@"
"""
_ENV = {
    "IS_SANDBOX": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_MAX_RETRIES": "2",
    "DISABLE_AUTOUPDATER": "1",
}
"""It is in a sandbox and asks nobody but the model; a model that fails does so for the runner's timers to see."""
_TOOLS_ENV = {"ENABLE_TOOL_SEARCH": "false", "MCP_CONNECTION_NONBLOCKING": "false"}
"""The tools are few: they are there from the first turn, and not to be looked for."""
_TOOLS = {"mcpServers": {"switchyard": {"command": "switchyard", "args": ["mcp"]}}}


class ClaudeAgent:
    """Runs Claude Code without asking for permissions: the sandbox is what it may do."""

    capabilities = Capabilities(tells_events=True, resumes=True)

    def __init__(self, name: str, command: Sequence[str] = (), programs: Sequence[Program | HostTool] = ()) -> None:
        """`command` replaces the program and its first arguments; empty: `claude` on the sandbox's PATH."""
        self.name = name
        self.programs = tuple(programs)
        self._command = tuple(command) or ("claude",)

    def prepare(self, assignment: Assignment) -> Launch:
        """`claude -p` with the prompt on its standard input."""
        return self._launch(assignment, (), assignment.prompt)

    def resume(self, assignment: Assignment, session_id: str, prompt: str) -> Launch:
        """`claude -p --resume`."""
        return self._launch(assignment, ("--resume", session_id), prompt)

    def parse(self, line: str) -> list[AgentEvent]:
        """Messages, tools and the result; what Claude Code adds in later versions is passed over."""
        told = read_object(line)
        if told is None:
            return []
        match told.get("type"):
            case "system" if told.get("subtype") == "init":
                return [AgentEvent("started", session_id=str(told.get("session_id", "")))]
            case "system" if told.get("subtype") == "api_retry":
                return [AgentEvent("error", f"the model's endpoint failed: {told.get('error', 'no reason given')}")]
            case "assistant":
                return [event for block in _blocks(told) if (event := _said(block)) is not None]
            case "user":
                results = [block for block in _blocks(told) if block.get("type") == "tool_result"]
                return [AgentEvent("tool_result", ok=not block.get("is_error")) for block in results]
            case "result":
                return _result(told)
        return []

    def finish(self, ending: Ending, events: Sequence[AgentEvent]) -> Outcome:
        """By the result's own word: a failure of the API is a "success" with `is_error`."""
        return conclude(ending, events)

    def _launch(self, assignment: Assignment, session: tuple[str, ...], prompt: str) -> Launch:
        model = ("--model", assignment.model) if assignment.model else ()
        options = ("-p", "--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions")
        tools = ("--mcp-config", json.dumps(_TOOLS), "--strict-mcp-config") if assignment.offers_tools else ()
        argv = (*self._command, *options, *tools, *model, *session)
        env = {**_ENV, **(_TOOLS_ENV if assignment.offers_tools else {}), **variables_of(assignment)}
        return Launch(("sh", "-c", _SCRIPT, "claude", *argv), env, stdin=prompt)


def _blocks(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    message = told.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _said(block: Mapping[str, Any]) -> AgentEvent | None:
    match block.get("type"):
        case "text":
            return AgentEvent("message", str(block.get("text", "")))
        case "tool_use":
            return AgentEvent("tool_call", str(block.get("name", "")))
    return None


def _result(told: Mapping[str, Any]) -> list[AgentEvent]:
    ok = told.get("subtype") == "success" and not told.get("is_error")
    text = str(told.get("result") or ("" if ok else told.get("subtype", "")))
    result = AgentEvent("result", text, ok=ok, session_id=str(told.get("session_id", "")))
    return [AgentEvent("usage", usage=_usage(told.get("usage"))), result]


def _usage(told: object) -> Usage:
    counts = told if isinstance(told, dict) else {}

    def count(name: str) -> int:
        value = counts.get(name)
        return value if isinstance(value, int) else 0

    cached = count("cache_read_input_tokens")
    prompt = count("input_tokens") + count("cache_creation_input_tokens") + cached
    return Usage("turn", prompt, cached, count("output_tokens"))
