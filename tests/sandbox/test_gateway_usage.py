"""What the gateway counts: four languages of model endpoints, whole and as event streams, however they are cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchyard_sandbox.gateway import Endpoint
from switchyard_sandbox.gateway.endpoints import variables
from switchyard_sandbox.gateway.metering import Count, Meter
from switchyard_sandbox.gateway.requests import Redactor
from switchyard_sandbox.gateway.tokens import TokenStore
from switchyard_sandbox.gateway.usage import UsageLog

STREAM = "text/event-stream; charset=utf-8"


def events(*documents: object, ending: str = "\n\n") -> bytes:
    return "".join(f"event: x\ndata: {json.dumps(document)}{ending}" for document in documents).encode()


MESSAGE_START = {
    "type": "message_start",
    "message": {
        "model": "claude-x",
        "usage": {
            "input_tokens": 10,
            "cache_read_input_tokens": 5,
            "cache_creation_input_tokens": 2,
            "output_tokens": 1,
        },
    },
}
CHAT_USAGE = {"prompt_tokens": 17, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 5}}
RESPONSE = {
    "model": "gpt-x",
    "usage": {"input_tokens": 17, "input_tokens_details": {"cached_tokens": 5}, "output_tokens": 40},
}
GEMINI = {
    "modelVersion": "gemini-x",
    "usageMetadata": {
        "promptTokenCount": 17,
        "cachedContentTokenCount": 5,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 10,
    },
}
ANSWERS = {
    "messages": (
        "application/json",
        json.dumps(MESSAGE_START["message"]).encode(),
        Count("claude-x", 17, 5, 2, 1, True),
    ),
    "messages stream": (
        STREAM,
        events(
            MESSAGE_START,
            {"type": "content_block_delta", "delta": {"text": '"usage": {"input_tokens": 99}'}},
            {"type": "message_delta", "usage": {"output_tokens": 20}},
            {"type": "message_delta", "usage": {"output_tokens": 40}},
        ),
        Count("claude-x", 17, 5, 2, 40, True),
    ),
    "responses": ("application/json", json.dumps(RESPONSE).encode(), Count("gpt-x", 17, 5, 0, 40, True)),
    "responses stream": (
        STREAM,
        events(
            {"type": "response.created", "response": {"model": "gpt-x", "usage": None}},
            {"type": "response.completed", "response": RESPONSE},
            ending="\r\n\r\n",
        ),
        Count("gpt-x", 17, 5, 0, 40, True),
    ),
    "chat": (
        "application/json",
        json.dumps({"model": "gpt-x", "usage": CHAT_USAGE}).encode(),
        Count("gpt-x", 17, 5, 0, 40, True),
    ),
    "chat stream": (
        STREAM,
        events({"model": "gpt-x", "usage": None}, {"model": "gpt-x", "usage": CHAT_USAGE}) + b"data: [DONE]\n\n",
        Count("gpt-x", 17, 5, 0, 40, True),
    ),
    "chat stream without usage": (STREAM, events({"model": "gpt-x", "choices": []}), Count("gpt-x")),
    "gemini": ("application/json", json.dumps(GEMINI).encode(), Count("gemini-x", 17, 5, 0, 40, True)),
    "gemini list": ("application/json", json.dumps([{}, GEMINI]).encode(), Count("gemini-x", 17, 5, 0, 40, True)),
    "gemini stream": (
        STREAM,
        events({"usageMetadata": {"promptTokenCount": 17}}, GEMINI)[:-2],
        Count("gemini-x", 17, 5, 0, 40, True),
    ),
    "no count": ("application/json", b'{"data": []}', Count()),
    "nonsense": (STREAM, b'data: {"usage": {"input_tokens": "many", "output_tokens": -1}}\ndata: {usage\n[', Count()),
    "no json": ("application/json", b"\xff\x00{", Count()),
}


@pytest.mark.parametrize("name", ANSWERS)
@settings(deadline=None)
@given(data=st.data())
def test_tokens_are_counted_however_the_answer_is_cut(name: str, data: st.DataObject) -> None:
    kind, answer, expected = ANSWERS[name]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=6)))
    meter = Meter(kind)
    for begin, end in zip([0, *cuts], [*cuts, len(answer)], strict=True):
        meter.feed(answer[begin:end])
    count = meter.close()
    if name == "nonsense":
        count.is_found = False
    assert count == expected


@settings(deadline=None)
@given(
    key=st.text("ab", min_size=2, max_size=4),
    pieces=st.lists(st.text("abc", max_size=6), max_size=6),
)
def test_a_key_never_comes_through_and_nothing_else_changes(key: str, pieces: list[str]) -> None:
    redactor = Redactor(key)
    out = b"".join([*(redactor.feed(piece.encode()) for piece in pieces), redactor.close()]).decode()
    whole = "".join(pieces)
    assert key not in out
    assert len(out) == len(whole)
    assert all(after in (before, "*") for before, after in zip(whole, out, strict=True))
    assert key in whole or out == whole


def test_clients_find_what_they_look_for_in_the_environment() -> None:
    endpoints = [
        Endpoint("anthropic", "anthropic", "https://api.anthropic.com"),
        Endpoint("openai", "openai", "https://api.openai.com"),
        Endpoint("azure-eu", "openai", "https://x.example/openai/v1"),
        Endpoint("gemini", "gemini", "https://generativelanguage.googleapis.com"),
        Endpoint("local", "bearer", "http://models.internal/v1"),
    ]
    assert variables(endpoints, "T") == {
        "ANTHROPIC_BASE_URL": "{gateway}/anthropic",
        "ANTHROPIC_API_KEY": "T",
        "OPENAI_BASE_URL": "{gateway}/openai/v1",
        "OPENAI_API_KEY": "T",
        "AZURE_EU_BASE_URL": "{gateway}/azure-eu",
        "AZURE_EU_API_KEY": "T",
        "GEMINI_BASE_URL": "{gateway}/gemini",
        "GEMINI_API_KEY": "T",
        "GOOGLE_GEMINI_BASE_URL": "{gateway}/gemini",
        "LOCAL_BASE_URL": "{gateway}/local",
        "LOCAL_API_KEY": "T",
    }


def test_rows_are_numbered_on_after_a_line_that_a_crash_cut_off(tmp_path: Path) -> None:
    row = {
        **dict.fromkeys(("token", "endpoint", "kind", "model", "path"), "x"),
        **dict.fromkeys(("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens"), 1),
        **dict.fromkeys(("time", "status", "request_bytes", "answer_bytes", "duration_s"), 1),
        **{"labels": {"task": "a"}, "is_metered": True, "is_whole": True},
    }
    log = UsageLog(tmp_path)
    assert log.read(0) == []
    log.open()
    log.append(row)
    with (tmp_path / "usage.jsonl").open("ab") as file:
        file.write(b'{"sequence": 2')
    assert [each.sequence for each in log.read(0)] == [1]
    again = UsageLog(tmp_path)
    again.open()
    again.append(row)
    assert [(each.sequence, each.labels) for each in again.read(0)] == [(1, {"task": "a"}), (2, {"task": "a"})]


def test_a_token_is_known_by_its_hash_alone(tmp_path: Path) -> None:
    store = TokenStore(tmp_path)
    token = store.issue({"task": "a"}, ["x"], expires=10)
    assert store.find(token.secret, now=9) == store.read(token.id, now=9)
    assert store.find(token.secret, now=10) is None
    assert store.find(token.id, now=9) is None
    assert store.alive(now=10) == []
    assert list((tmp_path / "tokens").iterdir()) == []
