"""What the real programs print becomes the same events, and an ending that nobody takes for proof."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchyard.agents import Agent, AgentEvent, Assignment, ClaudeAgent, CodexAgent, Ending, Outcome, Places, Usage
from switchyard.agents.runner import read_events
from switchyard.packets import RunId, TaskId

CODEX, CLAUDE = CodexAgent("coder"), ClaudeAgent("coder")
DONE = Ending(exit_code=0)
CODEX_STREAM: tuple[dict[str, Any], ...] = (
    {"type": "thread.started", "thread_id": "th-1"},
    {"type": "turn.started"},
    {
        "type": "item.started",
        "item": {"id": "1", "type": "command_execution", "command": "ls", "status": "in_progress"},
    },
    {"type": "item.completed", "item": {"id": "1", "type": "command_execution", "exit_code": 1, "status": "failed"}},
    {"type": "item.completed", "item": {"id": "2", "type": "file_change", "status": "completed"}},
    {"type": "item.completed", "item": {"id": "3", "type": "agent_message", "text": "All done."}},
    {"type": "turn.completed", "usage": {"input_tokens": 400, "cached_input_tokens": 40, "output_tokens": 20}},
)
CLAUDE_STREAM: tuple[dict[str, Any], ...] = (
    {"type": "system", "subtype": "init", "session_id": "se-1"},
    {"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "Read", "input": {}}]}},
    {"type": "user", "message": {"content": [{"type": "tool_result", "is_error": True, "content": "gone"}]}},
    {"type": "assistant", "message": {"content": [{"type": "text", "text": "All done."}]}},
    {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "result": "All done.",
        "session_id": "se-1",
        "usage": {
            "input_tokens": 300,
            "cache_creation_input_tokens": 60,
            "cache_read_input_tokens": 40,
            "output_tokens": 20,
        },
    },
)


def told(agent: Agent, *lines: object, ending: Ending = DONE) -> tuple[list[AgentEvent], Outcome]:
    stream = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    events = read_events(stream.encode(), agent.parse)
    return events, agent.finish(ending, events)


def test_codex_tells_what_it_did_and_its_threads_total() -> None:
    events, outcome = told(CODEX, *CODEX_STREAM)
    assert [(event.kind, event.ok) for event in events] == [
        ("started", True),
        ("tool_call", True),
        ("tool_result", False),
        ("tool_result", True),
        ("message", True),
        ("usage", True),
        ("result", True),
    ]
    assert outcome == Outcome(True, "", "th-1", Usage("thread", 400, 40, 20), "All done.")


def test_claude_tells_what_it_did_and_its_turns_total() -> None:
    events, outcome = told(CLAUDE, *CLAUDE_STREAM)
    assert [(event.kind, event.ok) for event in events] == [
        ("started", True),
        ("tool_call", True),
        ("tool_result", False),
        ("message", True),
        ("usage", True),
        ("result", True),
    ]
    assert outcome == Outcome(True, "", "se-1", Usage("thread", 400, 40, 20), "All done.")


def test_turns_are_summed_and_threads_are_not() -> None:
    _, claude = told(CLAUDE, *CLAUDE_STREAM, *CLAUDE_STREAM)
    _, codex = told(CODEX, *CODEX_STREAM, *CODEX_STREAM)
    assert (claude.usage, codex.usage) == (Usage("thread", 800, 80, 40), Usage("thread", 400, 40, 20))


@pytest.mark.parametrize(("agent", "stream"), [(CODEX, CODEX_STREAM), (CLAUDE, CLAUDE_STREAM)], ids=["codex", "claude"])
class TestExitCodes:
    def test_exit_0_without_a_result_is_no_success(self, agent: Agent, stream: tuple[dict[str, Any], ...]) -> None:
        _, outcome = told(agent, *stream[:-1])
        assert (outcome.ok, outcome.reason) == (False, "it ended without a result")

    def test_a_cut_stream_says_so(self, agent: Agent, stream: tuple[dict[str, Any], ...]) -> None:
        _, outcome = told(agent, *stream[:-1], ending=Ending(0, is_cut=True))
        assert outcome.reason == "its output was cut"

    def test_a_result_does_not_outweigh_an_exit_code(self, agent: Agent, stream: tuple[dict[str, Any], ...]) -> None:
        _, outcome = told(agent, *stream, ending=Ending(3, stderr="warning\nno space left\n\n"))
        assert (outcome.ok, outcome.reason) == (False, "exited with 3: no space left")

    def test_a_timer_comes_before_all(self, agent: Agent, stream: tuple[dict[str, Any], ...]) -> None:
        _, outcome = told(agent, *stream, ending=Ending(None, 9, "stall"))
        assert (outcome.ok, outcome.reason, outcome.session_id != "") == (False, "ended by the stall limit", True)

    def test_what_is_no_event_is_passed_over(self, agent: Agent, stream: tuple[dict[str, Any], ...]) -> None:
        noise = ("npm warn", "{", "[]", "null", "7", '{"type": 7}', '{"type": "of a later version"}')
        assert told(agent, *noise, *stream, *noise) == told(agent, *stream)


@settings(max_examples=50)
@pytest.mark.parametrize("agent", [CODEX, CLAUDE], ids=["codex", "claude"])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(["type", "item", "message", "content", "usage", "error", "result", "subtype", "text"]),
                x,
            )
        ),
    ),
    st.sampled_from(["item.completed", "turn.completed", "turn.failed", "error", "assistant", "user", "result"]),
)
def test_no_line_whatever_it_holds_breaks_the_reader(agent: Agent, held: object, kind: str) -> None:
    line = {"item": held, "message": held, "usage": held, "error": held, "result": held, "type": kind}
    events = agent.parse(json.dumps(line))
    assert agent.finish(DONE, events).ok in (True, False)
    assert agent.parse(json.dumps(held)) is not None


def test_codex_failing_says_why() -> None:
    lines = [{"type": "error", "message": "Reconnecting 1/2"}, {"type": "turn.failed", "error": {"message": "401 no"}}]
    assert told(CODEX, *lines, ending=Ending(1))[1].reason == "401 no"


def test_claude_calls_a_failing_api_a_success_and_is_not_believed() -> None:
    line = {"type": "result", "subtype": "success", "is_error": True, "result": "API Error: 502", "session_id": "s"}
    _, outcome = told(CLAUDE, line)
    assert (outcome.ok, outcome.reason) == (False, "API Error: 502")


def test_a_reason_is_one_harmless_line() -> None:
    _, outcome = told(CODEX, {"type": "turn.failed", "error": {"message": "a\x1b[2J\n" + "b" * 9000}})
    assert outcome.reason.isprintable()
    assert len(outcome.reason) == 500


@pytest.mark.parametrize("agent", [CODEX, CLAUDE], ids=["codex", "claude"])
def test_a_session_goes_on_with_its_id_and_the_new_prompt(agent: Agent) -> None:
    places = Places("/w", "/in/prompt.md", "/in/context.md")
    assignment = Assignment(RunId("r"), TaskId("t"), 1, 'a "model"', places, prompt="Do it.")
    first, second = agent.prepare(assignment), agent.resume(assignment, "th-1", "Once more.")
    assert (first.stdin, second.stdin) == ("Do it.", "Once more.")
    assert "th-1" not in first.argv
    assert second.argv.index("th-1") == second.argv.index(next(w for w in second.argv if w.strip("-") == "resume")) + 1
    assert any("model" in word for word in first.argv)
    assert first.env["SWITCHYARD_TASK_ID"] == "t"


def test_a_command_of_ones_own_comes_in_place_of_the_program() -> None:
    assignment = Assignment(RunId("r"), TaskId("t"), 1, "", Places("/w", "/p", "/c"))
    assert CodexAgent("c", ("npx", "codex")).prepare(assignment).argv[4:7] == ("npx", "codex", "exec")
    assert ClaudeAgent("c", ("/opt/claude",)).prepare(assignment).argv[4:6] == ("/opt/claude", "-p")
