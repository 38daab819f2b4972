"""Files that hold the configuration of tests beside other things: the change's file with the base's configuration."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

Keep = Callable[[str], bool]
"""Whether a table of that name says how tests are run."""

_PYPROJECT = re.compile(r"^tool\.(pytest|coverage|tox|nox|hatch\.envs|pdm\.scripts|poe|taskipy|unittest)(\.|$)")
_SETUP = re.compile(r"^(tool:pytest|pytest|coverage(:.*)?|tox(:.*)?|testenv(:.*)?|aliases|nosetests|unittest)$")
_CARGO = re.compile(r"^(test|profile\.test|package\.metadata\.(nextest|tarpaulin))(\.|$)")
_PACKAGE = ("scripts", "jest", "mocha", "nyc", "c8", "ava", "vitest", "tap", "config", "wireit", "nx")
_HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_REPLACES = re.compile(r"^\s*(?:replace\s+)?(\S+)(?:\s+v\S+)?\s*=>\s*\S+")


def with_base_sections(path: str, before: bytes | None, after: bytes) -> bytes:
    """The change's version of a file, with what it says of tests as the base has it.

    Where the two can't be told apart, the whole of the base's.

    Args:
        before: None where the base has no such file.
    """
    name = path.rpartition("/")[2]
    try:
        merged = _MERGERS[name]((before or b"").decode(), after.decode())
    except (ValueError, tomllib.TOMLDecodeError, configparser.Error, RecursionError):
        return after if before is None else before
    return merged.encode()


def _package(before: str, after: str) -> str:
    old, new = json.loads(before or "{}"), json.loads(after)
    if not isinstance(old, dict) or not isinstance(new, dict):
        raise ValueError("no object")
    if all(old.get(key) == new.get(key) for key in _PACKAGE):
        return after
    kept = {key: value for key, value in new.items() if key not in _PACKAGE}
    return json.dumps({**kept, **{key: old[key] for key in _PACKAGE if key in old}}, indent=2) + "\n"


def _toml(pattern: re.Pattern[str]) -> Callable[[str, str], str]:
    def merge(before: str, after: str) -> str:
        wanted = _tables(tomllib.loads(before), pattern)
        if _tables(tomllib.loads(after), pattern) == wanted:
            return after
        merged = _spliced(before, after, lambda name: pattern.match(name.replace('"', "")) is not None)
        if _tables(tomllib.loads(merged), pattern) != wanted:
            raise ValueError("the tables of tests stand among others")
        return merged

    return merge


def _tables(node: Mapping[str, Any], pattern: re.Pattern[str], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in node.items():
        name = f"{prefix}{key}"
        if pattern.match(name):
            found[name] = value
        elif isinstance(value, dict):
            found |= _tables(value, pattern, f"{name}.")
    return found


def _setup(before: str, after: str) -> str:
    wanted = _sections(before)
    if _sections(after) == wanted:
        return after
    merged = _spliced(before, after, lambda name: _SETUP.match(name) is not None)
    if _sections(merged) != wanted:
        raise ValueError("the sections of tests stand among others")
    return merged


def _sections(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return {name: dict(parser.items(name)) for name in parser.sections() if _SETUP.match(name)}


def _spliced(before: str, after: str, keep: Keep) -> str:
    """What stands in `after` outside of the tables of tests, then these tables as `before` has them."""
    rest = [text for name, text in _split(after) if not keep(name)]
    tests = [text for name, text in _split(before) if keep(name)]
    return "\n".join([*(part.rstrip("\n") for part in (*rest, *tests) if part.strip()), ""])


def _split(text: str) -> list[tuple[str, str]]:
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines():
        header = _HEADER.match(line)
        if header is not None and not line[:1].isspace():
            parts.append((header[1], []))
        parts[-1][1].append(line)
    return [(name, "\n".join(lines)) for name, lines in parts]


def _modules(before: str, after: str) -> str:
    """Without new lines by which other code stands in for a module that the base needs."""
    known = set(before.split())
    old = {line.strip() for line in before.splitlines()}
    return "".join(
        line
        for line in after.splitlines(keepends=True)
        if line.strip() in old or not (found := _REPLACES.match(line)) or found[1] not in known
    )


_MERGERS: Mapping[str, Callable[[str, str], str]] = {
    "pyproject.toml": _toml(_PYPROJECT),
    "setup.cfg": _setup,
    "package.json": _package,
    "Cargo.toml": _toml(_CARGO),
    "go.mod": _modules,
}
