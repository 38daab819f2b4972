"""The Codex command line: `codex exec` with its stream of JSON lines, over the gateway's OpenAI endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from switchyard_sandbox import HostTool, Program

from switchyard.agents.command import variables_of
from switchyard.agents.contract import Assignment, Capabilities, Launch
from switchyard.agents.events import AgentEvent, Ending, Outcome, Usage, conclude, read_object

_SCRIPT = """\
: "${OPENAI_BASE_URL:?names no endpoint: add one of kind openai under [gateway] in switchyard.toml}"
exec "$@" -c "model_providers.switchyard.base_url=\\"$OPENAI_BASE_URL\\"" -
"""
"""The address is known inside of the sandbox alone, and Codex takes it from its configuration, not its environment."""

_SETTINGS = {
    "model_provider": '"switchyard"',
    "model_providers.switchyard.name": '"switchyard"',
    "model_providers.switchyard.env_key": '"OPENAI_API_KEY"',
    "model_providers.switchyard.wire_api": '"responses"',
    "model_providers.switchyard.request_max_retries": "2",
    "model_providers.switchyard.stream_max_retries": "2",
    "features.plugins": "false",
    "features.remote_plugin": "false",
    "features.apps": "false",
    "check_for_update_on_startup": "false",
    "analytics.enabled": "false",
}
"""The gateway as the one provider, and nothing that would ask another host."""
_TOOLS = {"mcp_servers.switchyard.command": '"switchyard"', "mcp_servers.switchyard.args": '["mcp"]'}
_CALLS = ("command_execution", "file_change", "mcp_tool_call", "web_search")


class CodexAgent:
    """Runs Codex without its own sandbox: it is in one, which it can't set up another inside of."""

    capabilities = Capabilities(tells_events=True, resumes=True)

    def __init__(self, name: str, command: Sequence[str] = (), programs: Sequence[Program | HostTool] = ()) -> None:
        """`command` replaces the program and its first arguments; empty: `codex` on the sandbox's PATH."""
        self.name = name
        self.programs = tuple(programs)
        self._command = tuple(command) or ("codex",)

    def prepare(self, assignment: Assignment) -> Launch:
        """`codex exec` with the prompt on its standard input."""
        return self._launch(assignment, (), assignment.prompt)

    def resume(self, assignment: Assignment, session_id: str, prompt: str) -> Launch:
        """`codex exec resume`."""
        return self._launch(assignment, ("resume", session_id), prompt)

    def parse(self, line: str) -> list[AgentEvent]:
        """Threads, items and turns; what Codex adds in later versions is passed over."""
        told = read_object(line)
        if told is None:
            return []
        match told.get("type"):
            case "thread.started":
                return [AgentEvent("started", session_id=str(told.get("thread_id", "")))]
            case "item.started" | "item.completed":
                return _item(told, is_done=told["type"] == "item.completed")
            case "turn.completed":
                return [AgentEvent("usage", usage=_usage(told.get("usage"))), AgentEvent("result")]
            case "turn.failed":
                return [AgentEvent("result", _message(told.get("error")), ok=False)]
            case "error":
                return [AgentEvent("error", _message(told))]
        return []

    def finish(self, ending: Ending, events: Sequence[AgentEvent]) -> Outcome:
        """By its turn's own end: Codex exits with 0 in cases where nothing was done."""
        return conclude(ending, events)

    def _launch(self, assignment: Assignment, verb: tuple[str, ...], prompt: str) -> Launch:
        model = ("-c", f"model={_quoted(assignment.model)}") if assignment.model else ()
        wanted = {**_SETTINGS, **(_TOOLS if assignment.offers_tools else {})}
        settings = tuple(part for name, value in wanted.items() for part in ("-c", f"{name}={value}"))
        options = ("--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
        argv = (*self._command, "exec", *verb, *options, *settings, *model)
        return Launch(("sh", "-c", _SCRIPT, "codex", *argv), variables_of(assignment), stdin=prompt)


def _item(told: Mapping[str, Any], *, is_done: bool) -> list[AgentEvent]:
    item = told.get("item")
    if not isinstance(item, dict):
        return []
    kind, text = str(item.get("type", "")), str(item.get("text", ""))
    if kind == "agent_message" and is_done:
        return [AgentEvent("message", text)]
    if kind == "error" and is_done:
        return [AgentEvent("error", _message(item))]
    if kind not in _CALLS:
        return []
    if not is_done:
        return [AgentEvent("tool_call", kind)]
    return [AgentEvent("tool_result", kind, ok=item.get("status", "completed") == "completed")]


def _usage(told: object) -> Usage:
    counts = told if isinstance(told, dict) else {}
    names = ("input_tokens", "cached_input_tokens", "output_tokens")
    given, cached, made = (value if isinstance(value := counts.get(name), int) else 0 for name in names)
    return Usage("thread", given, cached, made)


def _message(told: object) -> str:
    return str(told.get("message", "")) if isinstance(told, dict) else str(told or "")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
