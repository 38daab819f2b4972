"""Counts tokens in what model endpoints answer: JSON or event streams, of Anthropic, OpenAI, Gemini and look-alikes.

The shape is told by the names of the fields, not by the endpoint: many servers speak another provider's language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MOST_BYTES = 32 << 20
"""What of one answer or one event is looked at; larger ones count as not metered."""


@dataclass
class Count:
    """Tokens of one answer so far."""

    model: str = ""
    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0
    is_found: bool = False


class Meter:
    """Reads along with an answer; whatever it can't read changes nothing for the reader."""

    def __init__(self, content_type: str) -> None:
        self.count = Count()
        self._is_stream = content_type.partition(";")[0].strip().lower() == "text/event-stream"
        self._rest = bytearray()
        self._is_lost = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if len(self._rest) + len(data) > _MOST_BYTES:
            self._is_lost, self._rest = not self._is_stream, bytearray()
        if self._is_lost:
            return
        self._rest += data
        if self._is_stream and (b"\n" in data or b"\r" in data):
            *lines, self._rest = self._rest.replace(b"\r", b"\n").split(b"\n")
            for line in lines:
                self._take_line(bytes(line))

    def close(self) -> Count:
        """The answer has ended, or will not go on."""
        if self._is_stream:
            self._take_line(bytes(self._rest))
        elif self._rest and not self._is_lost:
            self._take(bytes(self._rest))
        self._rest = bytearray()
        return self.count

    def _take_line(self, line: bytes) -> None:
        if line.startswith(b"data:") and (b"sage" in line or b'"model' in line):
            self._take(line[5:])

    def _take(self, text: bytes) -> None:
        try:
            said = json.loads(text)
        except ValueError:
            return
        for part in said if isinstance(said, list) else [said]:
            if isinstance(part, dict):
                _add(self.count, part)


def _add(count: Count, said: Mapping[str, Any]) -> None:
    """Take over what one object says; later ones of a stream hold totals, so they replace what was there."""
    for part in _parts(said):
        model = part.get("model") or part.get("modelVersion")
        if isinstance(model, str):
            count.model = model[:200].encode("utf-8", "replace").decode()
        if isinstance(usage := part.get("usageMetadata"), dict):
            _add_gemini(count, usage)
        elif isinstance(usage := part.get("usage"), dict):
            if "prompt_tokens" in usage:
                _add_chat(count, usage)
            elif "input_tokens_details" in usage:
                _add_responses(count, usage)
            else:
                _add_messages(count, usage)


def _parts(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield said
    for name in ("message", "response"):
        if isinstance(part := said.get(name), dict):
            yield part


def _add_messages(count: Count, usage: Mapping[str, Any]) -> None:
    """Anthropic: what came from or went into a cache is not among the input tokens."""
    cached, written = _number(usage, "cache_read_input_tokens"), _number(usage, "cache_creation_input_tokens")
    if "input_tokens" in usage:
        count.input = max(count.input, _number(usage, "input_tokens") + cached + written)
    count.cached, count.cache_write = max(count.cached, cached), max(count.cache_write, written)
    count.output = max(count.output, _number(usage, "output_tokens"))
    count.is_found = count.is_found or "input_tokens" in usage


def _add_responses(count: Count, usage: Mapping[str, Any]) -> None:
    count.input, count.output = _number(usage, "input_tokens"), _number(usage, "output_tokens")
    count.cached = _number(usage.get("input_tokens_details"), "cached_tokens")
    count.is_found = True


def _add_chat(count: Count, usage: Mapping[str, Any]) -> None:
    count.input, count.output = _number(usage, "prompt_tokens"), _number(usage, "completion_tokens")
    count.cached = _number(usage.get("prompt_tokens_details"), "cached_tokens")
    count.is_found = True


def _add_gemini(count: Count, usage: Mapping[str, Any]) -> None:
    count.input = _number(usage, "promptTokenCount") + _number(usage, "toolUsePromptTokenCount")
    count.cached = _number(usage, "cachedContentTokenCount")
    count.output = _number(usage, "candidatesTokenCount") + _number(usage, "thoughtsTokenCount")
    count.is_found = True


def _number(values: object, name: str) -> int:
    value = values.get(name) if isinstance(values, dict) else None
    return value if isinstance(value, int) and value > 0 else 0
