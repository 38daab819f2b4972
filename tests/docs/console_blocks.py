"""Reads the ```console blocks of a Markdown file: what they type, what they show, where they want to run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Where = Literal["demo", "unconfigured", "after-run", "not at all"]

_FENCE = re.compile(r"^```console(?P<tags>[^\n]*)\n(?P<body>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_TAGS = frozenset({"unconfigured", "after-run", "no-run", "reason", "exit"})


@dataclass(frozen=True)
class Typed:
    """One command and what the document shows below it."""

    command: str
    shown: tuple[str, ...]
    """Lines that must be in the output, in this order; `…` stands for anything."""


@dataclass(frozen=True)
class Block:
    """One block. `exit_code` is what its last command ends with; those before it must succeed."""

    document: Path
    line: int
    where: Where
    typed: tuple[Typed, ...]
    exit_code: int = 0
    reason: str = ""
    """Why it is not run."""

    @property
    def label(self) -> str:
        """How tests name it."""
        return f"{self.document.name}:{self.line}"


def read_blocks(document: Path) -> list[Block]:
    """Every console block, in order.

    Tags stand behind the word `console`: `unconfigured` wants a repository before `switchyard init`, `after-run` one in
    which `switchyard run` has ended; `exit=N` is how the last command ends, `no-run reason="…"` why a block can't run.

    Raises:
        ValueError: A tag is unknown, a reason is missing, or a block types nothing.
    """
    text = document.read_text(encoding="utf-8")
    return [_block(document, text[: match.start()].count("\n") + 1, match) for match in _FENCE.finditer(text)]


def matches(shown: tuple[str, ...], output: str) -> bool:
    """Whether the lines are in the output in this order; runs of spaces count as one, `…` as anything."""
    lines = iter([_squeezed(line) for line in output.splitlines()])
    return all(any(_pattern(line).fullmatch(actual) for actual in lines) for line in shown)


def _block(document: Path, line: int, match: re.Match[str]) -> Block:
    place = f"{document.name}:{line}"
    tags = dict(tag.partition("=")[::2] for tag in shlex.split(match["tags"]))
    if unknown := sorted(tags.keys() - _TAGS):
        raise ValueError(f"{place}: unknown tags {unknown}")
    if ("no-run" in tags) != bool(tags.get("reason")):
        raise ValueError(f'{place}: `no-run` and `reason="…"` belong together')
    typed = _typed(match["body"])
    if not typed:
        raise ValueError(f"{place}: no line starts with `$ `")
    return Block(document, line, _where(tags), typed, int(tags.get("exit", "0")), tags.get("reason", ""))


def _where(tags: Mapping[str, str]) -> Where:
    if "no-run" in tags:
        return "not at all"
    if "after-run" in tags:
        return "after-run"
    return "unconfigured" if "unconfigured" in tags else "demo"


def _typed(body: str) -> tuple[Typed, ...]:
    found: list[tuple[str, list[str]]] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", [])
        elif line.strip() and found:
            found[-1][1].append(line)
    return tuple(Typed(command, tuple(shown)) for command, shown in found)


def _pattern(line: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in re.split(" ?… ?", _squeezed(line))))


def _squeezed(line: str) -> str:
    return " ".join(line.split())
