"""The scripted model: an HTTP server on the loopback that answers every conversation with the next step of its plan."""

from __future__ import annotations

import gzip
import http.server
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from fakes.models.plan import Plan, Say, Shell, Step, call_for
from fakes.models.wires import Answer, Wire, wire_of

Mode = Literal["ok", "unauthorized", "failing", "hanging", "truncated", "looping", "orphaning"]
"""ok: the plan. unauthorized: 401. failing: 500. hanging: no answer. truncated: the stream breaks off after its first
piece. looping: the plan's first step for ever. orphaning: a child is left behind first, and then the plan."""

ORPHAN = "setsid sleep 3017 >/dev/null 2>&1 &"
_ATTEMPT = re.compile(r"attempt (\d+) of \d+")
_MODE = re.compile(r"MODE=([a-z]+)")
_STATUS = {"unauthorized": 401, "failing": 500}
_COUNTED = ("/count_tokens", ":countTokens")


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    tools: tuple[str, ...]
    text: str
    """The whole body."""


@dataclass
class ScriptedModel:
    """A running server. `plans` are for the first attempt, the second and so on; the last is for all that follow.

    What a conversation says of itself comes before `mode`: `MODE=hanging` in a task's body.
    """

    plans: Sequence[Plan]
    mode: Mode = "ok"
    workdir: str = "/workspace"
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self.port}"

    def mode_of(self, text: str) -> Mode:
        """How a conversation is answered."""
        found = _MODE.search(text)
        return cast("Mode", found[1]) if found else self.mode

    def step(self, text: str, done: int) -> Step:
        """What a conversation comes to next, by what it holds and how far it is."""
        found = _ATTEMPT.search(text)
        attempt = int(found[1]) if found else 1
        plan = list(self.plans[min(attempt, len(self.plans)) - 1])
        mode = self.mode_of(text)
        if mode == "orphaning":
            plan = [Shell(ORPHAN), *plan]
        if mode == "looping":
            return plan[0]
        return plan[done] if done < len(plan) else Say("There is nothing more to do.")


@contextmanager
def scripted_model(*plans: Plan, mode: Mode = "ok") -> Iterator[ScriptedModel]:
    """A server for the length of a `with`."""
    model = ScriptedModel(plans, mode)
    handler = type("Bound", (_Handler,), {"model": model})
    with _Server(("127.0.0.1", 0), handler) as server:
        model.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield model
        finally:
            model.ending.set()
            server.shutdown()
            thread.join()


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Clients break connections off when they are killed: nothing to be told."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: ScriptedModel

    def do_GET(self) -> None:
        """Only the list of models is known."""
        found = self.path.partition("?")[0].endswith("/models")
        self._say({"object": "list", "data": [], "models": []} if found else {}, 200 if found else 404)

    def do_POST(self) -> None:
        """One step of a conversation."""
        raw, path = self._read(), self.path.partition("?")[0]
        body = json.loads(raw or b"{}")
        wire = wire_of(path)
        text, tools = raw.decode(), wire.tools(body) if wire else []
        mode = self.model.mode_of(text)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.model.asked.append(Asked(path, headers, tuple(tool.name for tool in tools), text))
        if path.endswith(_COUNTED):
            self._say({"input_tokens": 1, "totalTokens": 1})
        elif wire is None:
            self._say({}, 404)
        elif mode in _STATUS:
            self._say(wire.error(_STATUS[mode]), _STATUS[mode])
        elif mode == "hanging":
            self.model.ending.wait()
            self.close_connection = True
        else:
            self._answer(wire, body, text)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self, wire: Wire, body: dict[str, Any], text: str) -> None:
        tools, done = wire.tools(body), wire.steps_done(body)
        # Clients ask for titles and the like without tools; those are no part of the plan.
        step = self.model.step(text, done) if tools else Say("ok")
        known = Answer(done, str(body.get("model") or "scripted"))
        if isinstance(step, Say):
            answer = Answer(known.number, known.model, text=step.text)
        else:
            answer = Answer(known.number, known.model, call=call_for(step, tools, self.model.workdir))
        if body.get("stream") or ":stream" in self.path:
            self._stream(wire, answer, is_truncated=self.model.mode_of(text) == "truncated")
        else:
            self._say(wire.answer(answer))

    def _stream(self, wire: Wire, answer: Answer, *, is_truncated: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        with suppress(BrokenPipeError, ConnectionResetError):
            for number, (name, data) in enumerate(wire.stream(answer)):
                shown = {"type": name, "sequence_number": number, **data} if name else data
                event = f"event: {name}\n" if name else ""
                self.wfile.write(f"{event}data: {json.dumps(shown)}\n\n".encode())
                self.wfile.flush()
                if is_truncated:
                    return

    def _say(self, data: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(body)

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        else:
            body = b""
            while length := int(self.rfile.readline(), 16):
                body += self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
