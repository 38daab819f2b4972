"""Model endpoints that keys are for: how each takes its key, what a box is told of it, how it words an error."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal["anthropic", "openai", "gemini", "bearer"]

PLACE = "{gateway}"
"""Stands in the variables of a box for the address of the gateway, which every driver fills in for its boxes."""

_VARIABLES: Mapping[Kind, tuple[str, str]] = {
    "anthropic": ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_KEY"),
    "gemini": ("GOOGLE_GEMINI_BASE_URL", "GEMINI_API_KEY"),
}
_ASKED: Mapping[Kind, re.Pattern[str]] = {
    "anthropic": re.compile(r"POST /v1/(messages(/count_tokens)?|complete)|GET /v1/models(/[^/]+)?"),
    "openai": re.compile(
        r"POST (/v1)?/(responses(/compact|/input_tokens)?|chat/completions|completions|embeddings)"
        r"|GET (/v1)?/models(/[^/]+)?"
    ),
    "gemini": re.compile(
        r"POST /v1(alpha|beta)?/(models|tunedModels)/[^/]+:"
        r"(generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)"
        r"|GET /v1(alpha|beta)?/models(/[^/]+)?"
    ),
}
_FREE = re.compile(r"GET .*|.*(/count_tokens|/input_tokens|:countTokens)")
_ANTHROPIC_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}
_GEMINI_ERRORS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    502: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclass(frozen=True)
class Endpoint:
    """A place that the gateway adds a key for."""

    name: str
    """The first part of its path at the gateway: letters, digits, `_` and `-`."""
    kind: Kind
    url: str
    """Where requests go: scheme, host and perhaps a path that every request's path is appended to."""

    def asks_for_models(self, method: str, path: str) -> bool:
        """Whether a request is one that an agent's work takes; files, batches and administration are not.

        Those would outlive the task, or be paid for without being counted.
        """
        known = _ASKED.get(self.kind)
        return known is None or known.fullmatch(f"{method} {path}") is not None


def kind_of(name: str) -> Kind:
    """What an endpoint of that name speaks when its configuration doesn't say."""
    match name:
        case "anthropic" | "openai" | "gemini":
            return name
        case _:
            return "bearer"


def uses_tokens(method: str, path: str) -> bool:
    """Whether a request is paid for, so that an answer without a count is incomplete."""
    return _FREE.fullmatch(f"{method} {path}") is None


def credential(kind: Kind, key: str) -> tuple[str, str]:
    """The header that carries the key."""
    match kind:
        case "anthropic":
            return "x-api-key", key
        case "gemini":
            return "x-goog-api-key", key
        case "openai" | "bearer":
            return "Authorization", f"Bearer {key}"


def variables(endpoints: Sequence[Endpoint], token: str) -> dict[str, str]:
    """What a box finds in its environment: `<NAME>_BASE_URL`, `<NAME>_API_KEY`, and the names that clients look for."""
    found: dict[str, str] = {}
    # An endpoint that is named for its provider comes last and so wins over another of the same kind.
    for endpoint in sorted(endpoints, key=lambda one: (one.name == one.kind, one.name)):
        stem = endpoint.name.upper().replace("-", "_")
        for address, key in ((f"{stem}_BASE_URL", f"{stem}_API_KEY"), _VARIABLES.get(endpoint.kind, ("", ""))):
            if address:
                found |= {address: f"{PLACE}/{endpoint.name}{_version(endpoint)}", key: token}
    return found


def error_body(kind: Kind, status: int, message: str) -> dict[str, object]:
    """An error as that provider words it, so that its clients show the message."""
    match kind:
        case "anthropic":
            return {"type": "error", "error": {"type": _ANTHROPIC_ERRORS.get(status, "api_error"), "message": message}}
        case "gemini":
            told = _GEMINI_ERRORS.get(status, "INTERNAL")
            return {"error": {"code": status, "message": message, "status": told}}
        case "openai" | "bearer":
            code = "invalid_api_key" if status == 401 else None
            family = "invalid_request_error" if status < 500 else "server_error"
            return {"error": {"message": message, "type": family, "param": None, "code": code}}


def _version(endpoint: Endpoint) -> str:
    """OpenAI's clients append `/responses` to their base, which ends in /v1; a bare origin needs it added."""
    return "/v1" if endpoint.kind == "openai" and urlsplit(endpoint.url).path in ("", "/") else ""
