"""The three languages that models are asked in: what a request holds, and how one answer is streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fakes.models.plan import Call, Tool

INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS = 1000, 100, 50
"""What every answer says that it took."""

Body = Mapping[str, Any]
Event = tuple[str, dict[str, Any]]
"""The name of a server-sent event, empty where the language has none, and its data."""


@dataclass(frozen=True)
class Answer:
    """What the model says: a call of a tool, or a text that ends its turn."""

    number: int
    """Which step of the plan it is."""
    model: str
    call: Call | None = None
    text: str = ""


class Wire(Protocol):
    """One language."""

    def tools(self, body: Body) -> list[Tool]:
        """What the client offers."""

    def steps_done(self, body: Body) -> int:
        """How far the conversation is: results of tools, and turns that ended with a text."""

    def answer(self, answer: Answer) -> dict[str, Any]:
        """The whole answer at once."""

    def stream(self, answer: Answer) -> Iterator[Event]:
        """The answer in pieces; broken off after the first, it is a truncated one."""

    def error(self, status: int) -> dict[str, Any]:
        """A failure as the provider words it."""


class Responses:
    """OpenAI's Responses."""

    def tools(self, body: Body) -> list[Tool]:
        """Functions, those in namespaces too, and tools that take a text."""
        found = []
        for tool in body.get("tools") or []:
            if tool.get("type") == "namespace":
                found += [replace(one, namespace=str(tool.get("name", ""))) for one in self.tools(tool)]
            else:
                name = tool.get("name") or tool.get("type") or ""
                found.append(Tool(name, tool.get("parameters") or {}, takes_text=tool.get("type") == "custom"))
        return found

    def steps_done(self, body: Body) -> int:
        """Outputs of calls, and messages of the assistant."""
        given = body.get("input")
        items: list[Body] = given if isinstance(given, list) else []
        results = sum(str(item.get("type", "")).endswith("_call_output") for item in items)
        return int(results + sum(item.get("role") == "assistant" for item in items))

    def answer(self, answer: Answer) -> dict[str, Any]:
        """A response that is complete."""
        usage = {
            "input_tokens": INPUT_TOKENS,
            "input_tokens_details": {"cached_tokens": CACHED_TOKENS},
            "output_tokens": OUTPUT_TOKENS,
            "output_tokens_details": {"reasoning_tokens": 10},
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        }
        whole = {"id": f"resp_{answer.number}", "object": "response", "created_at": 0, "model": answer.model}
        return {**whole, "status": "completed", "output": [self._item(answer)], "usage": usage}

    def stream(self, answer: Answer) -> Iterator[Event]:
        """As Codex reads it: begun, the item, complete."""
        whole, item = self.answer(answer), self._item(answer)
        begun = {**whole, "status": "in_progress", "output": []}
        yield "response.created", {"response": {name: begun[name] for name in begun if name != "usage"}}
        yield "response.output_item.added", {"output_index": 0, "item": {**item, "status": "in_progress"}}
        yield "response.output_item.done", {"output_index": 0, "item": item}
        yield "response.completed", {"response": whole}

    def error(self, status: int) -> dict[str, Any]:
        """With a message and a type."""
        return {"error": {"message": "scripted failure", "type": "scripted", "code": str(status)}}

    def _item(self, answer: Answer) -> dict[str, Any]:
        call, known = answer.call, {"id": f"item_{answer.number}", "status": "completed"}
        if call is None:
            content = [{"type": "output_text", "text": answer.text, "annotations": []}]
            return {**known, "type": "message", "role": "assistant", "content": content}
        named = {**known, "call_id": f"call_{answer.number}", "name": call.tool}
        if isinstance(call.arguments, str):
            return {**named, "type": "custom_tool_call", "input": call.arguments}
        named |= {"namespace": call.namespace} if call.namespace else {}
        return {**named, "type": "function_call", "arguments": json.dumps(call.arguments)}


class Messages:
    """Anthropic's Messages."""

    def tools(self, body: Body) -> list[Tool]:
        """Tools with an input schema."""
        return [Tool(tool.get("name", ""), tool.get("input_schema") or {}) for tool in body.get("tools") or []]

    def steps_done(self, body: Body) -> int:
        """Results of tools, and messages of the assistant that use none."""
        done = 0
        for message in body.get("messages") or []:
            given = message.get("content")
            kinds = [block.get("type") for block in given] if isinstance(given, list) else ["text"]
            done += kinds.count("tool_result")
            done += message.get("role") == "assistant" and "tool_use" not in kinds
        return done

    def answer(self, answer: Answer) -> dict[str, Any]:
        """A message that is complete."""
        known = {"id": f"msg_{answer.number}", "type": "message", "role": "assistant", "model": answer.model}
        ended = {"stop_reason": "tool_use" if answer.call else "end_turn", "stop_sequence": None}
        return {**known, "content": [self._block(answer)], **ended, "usage": self._usage(OUTPUT_TOKENS)}

    def stream(self, answer: Answer) -> Iterator[Event]:
        """The message, its one block, and why it ended."""
        whole, block = self.answer(answer), self._block(answer)
        empty: dict[str, Any] = {"content": [], "stop_reason": None, "usage": self._usage(1)}
        yield "message_start", {"message": {**whole, **empty}}
        if answer.call:
            begun, delta = (
                {**block, "input": {}},
                {"type": "input_json_delta", "partial_json": json.dumps(block["input"])},
            )
        else:
            begun = {**block, "text": ""}
            delta = {"type": "text_delta", "text": answer.text}
        yield "content_block_start", {"index": 0, "content_block": begun}
        yield "content_block_delta", {"index": 0, "delta": delta}
        yield "content_block_stop", {"index": 0}
        ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        yield "message_delta", {"delta": ended, "usage": {"output_tokens": OUTPUT_TOKENS}}
        yield "message_stop", {}

    def error(self, status: int) -> dict[str, Any]:
        """With a type that clients know."""
        kind = "authentication_error" if status == 401 else "api_error"
        return {"type": "error", "error": {"type": kind, "message": "scripted failure"}}

    def _block(self, answer: Answer) -> dict[str, Any]:
        if answer.call is None:
            return {"type": "text", "text": answer.text}
        called = {"name": answer.call.tool, "input": answer.call.arguments}
        return {"type": "tool_use", "id": f"toolu_{answer.number}", **called}

    def _usage(self, output: int) -> dict[str, int]:
        fresh = INPUT_TOKENS - CACHED_TOKENS
        cached = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": CACHED_TOKENS}
        return {"input_tokens": fresh, **cached, "output_tokens": output}


class Gemini:
    """Google's generateContent."""

    def tools(self, body: Body) -> list[Tool]:
        """Declared functions."""
        declared = [each for tool in body.get("tools") or [] for each in tool.get("functionDeclarations") or []]
        return [Tool(one["name"], one.get("parametersJsonSchema") or one.get("parameters") or {}) for one in declared]

    def steps_done(self, body: Body) -> int:
        """Answers of functions, and contents of the model that call none."""
        done = 0
        for content in body.get("contents") or []:
            parts = content.get("parts") or []
            done += sum("functionResponse" in part for part in parts)
            done += content.get("role") == "model" and not any("functionCall" in part for part in parts)
        return done

    def answer(self, answer: Answer) -> dict[str, Any]:
        """One candidate."""
        part: dict[str, Any] = {"text": answer.text}
        if answer.call is not None:
            part = {
                "functionCall": {"id": f"call_{answer.number}", "name": answer.call.tool, "args": answer.call.arguments}
            }
        usage = {
            "promptTokenCount": INPUT_TOKENS,
            "cachedContentTokenCount": CACHED_TOKENS,
            "candidatesTokenCount": OUTPUT_TOKENS,
            "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
        }
        candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": answer.model}

    def stream(self, answer: Answer) -> Iterator[Event]:
        """An empty beginning, then all of it."""
        begun = {"content": {"role": "model", "parts": [{"text": ""}]}, "index": 0}
        yield "", {"candidates": [begun], "modelVersion": answer.model}
        yield "", self.answer(answer)

    def error(self, status: int) -> dict[str, Any]:
        """With a status in words."""
        word = "UNAUTHENTICATED" if status == 401 else "INTERNAL"
        return {"error": {"code": status, "message": "scripted failure", "status": word}}


def wire_of(path: str) -> Wire | None:
    """The language of a request to a path; None: it asks for no answer of a model."""
    if path.endswith("/responses"):
        return Responses()
    if path.endswith("/messages"):
        return Messages()
    if path.endswith((":generateContent", ":streamGenerateContent")):
        return Gemini()
    return None
