"""Reads `switchyard.toml`, lays environment and flags over it, and says where each fault is."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from switchyard.config.lines import KeyPath, key_lines, line_of
from switchyard.config.model import Config
from switchyard.errors import ConfigError, did_you_mean

CONFIG_NAME = "switchyard.toml"
PREFIX = "SWITCHYARD_"


def load_config(
    path: Path,
    *,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
    must_exist: bool = True,
) -> Config:
    """Read one file and resolve it: flag > `SWITCHYARD_<TABLE>_<KEY>` > file > default.

    Args:
        path: The file, as people should see it in an error.
        environ: The environment to take `SWITCHYARD_*` from; None takes nothing.
        overrides: Flags, by dotted key: `{"limits.concurrency": 8}`; a None value was not given.
        must_exist: Whether a missing file is an error; else it counts as empty.

    Raises:
        ConfigError: The file, the environment or a flag is wrong; names the place.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as err:
        if must_exist:
            raise ConfigError(
                "there is no such file", file=path, hint="run 'switchyard init' in the repository to write one"
            ) from err
        text = ""
    except UnicodeDecodeError as err:
        line = path.read_bytes()[: err.start].count(b"\n") + 1
        raise ConfigError("not UTF-8 text", file=path, line=line, hint="save the file as UTF-8") from err
    except OSError as err:
        raise ConfigError(f"cannot be read: {err.strerror}", file=path) from err
    return parse_config(text, path, environ=environ, overrides=overrides)


def parse_config(
    text: str,
    path: Path,
    *,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Config:
    """`load_config` on a text already read; `path` only names it."""
    source = _Source(path, _parse_toml(text, path), key_lines(text))
    source.apply_environment(environ or {})
    source.apply_overrides(overrides or {})
    try:
        # By way of JSON, for there strict validation takes a list for a tuple and still refuses "4" for 4.
        return Config.model_validate_json(json.dumps(source.tables_for_model(), default=str))
    except ValidationError as err:
        raise ConfigError.joined([source.explain(detail) for detail in err.errors()]) from err


def _parse_toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(err))
        line = int(place[1]) if place and place[1] else len(text.splitlines()) or 1
        problem = str(err)[: place.start()] if place else str(err)
        raise ConfigError(f"not valid TOML: {problem}", file=path, line=line) from err


@dataclass
class _Source:
    """The tables as written, and for each key who wrote it."""

    path: Path
    tables: dict[str, Any]
    lines: dict[KeyPath, int]
    origins: dict[KeyPath, str] = field(default_factory=dict)

    def apply_environment(self, environ: Mapping[str, str]) -> None:
        for variable in sorted(environ):
            if variable.startswith(PREFIX):
                self._apply_variable(variable, environ[variable])

    def _apply_variable(self, variable: str, value: str) -> None:
        table, _, key = variable.removeprefix(PREFIX).lower().partition("_")
        known_tables = set(Config.model_fields) - {"agents"}
        if not key or table not in known_tables:
            # Other variables may begin alike; only one that looks like a slip of the keyboard is refused.
            guess = did_you_mean(table, known_tables) if key else ""
            if guess:
                raise ConfigError(f"unknown table '{table}'{guess}", file=Path(f"${variable}"), key=table)
            return
        keys = _fixed_keys(table)
        if key not in keys:
            raise ConfigError(
                f"[{table}] has no key '{key}' that the environment can set{did_you_mean(key, keys)}",
                file=Path(f"${variable}"),
                key=f"{table}.{key}",
                hint=f"it can set: {', '.join(sorted(keys))}" if keys else f"set [{table}] in {CONFIG_NAME}",
            )
        self._put((table, key), value if keys[key] else _toml_value(value), f"${variable}")

    def apply_overrides(self, overrides: Mapping[str, object]) -> None:
        for dotted, value in overrides.items():
            if value is not None:
                self._put(tuple(dotted.split(".")), value, "command line")

    def _put(self, path: KeyPath, value: object, origin: str) -> None:
        node = self.tables
        for key in path[:-1]:
            node = node.setdefault(key, {})
            if not isinstance(node, dict):
                return  # The file's own fault: validation names it.
        node[path[-1]] = value
        self.origins[path] = origin

    def tables_for_model(self) -> dict[str, Any]:
        """The tables with `[agent]` and its `[agent.NAME]` tables apart, as the model keeps them."""
        if "agents" in self.tables:
            raise ConfigError(
                "unknown key 'agents'; did you mean 'agent'?",
                file=self.path,
                line=line_of(self.lines, ("agents",)),
                key="agents",
                hint="an agent beside the default is a table [agent.NAME]",
            )
        tables = dict(self.tables)
        agent = tables.get("agent")
        if isinstance(agent, dict):
            default = {key: value for key, value in agent.items() if not isinstance(value, dict)}
            named = {key: value for key, value in agent.items() if isinstance(value, dict)}
            tables["agents"] = {name: {"kind": "command", **table} for name, table in named.items()}
            tables["agent"] = {"kind": "command", **default} if default else None
        return tables

    def explain(self, detail: ErrorDetails) -> ConfigError:
        path = _written_path(detail)
        origin = self.origins.get(path)
        known = _known_keys(path[:-1], detail)
        dotted = ".".join(path)
        unknown = detail["type"] == "extra_forbidden"
        return ConfigError(
            f"unknown key '{dotted}'{did_you_mean(path[-1], known)}" if unknown else _problem(detail, dotted),
            file=Path(origin) if origin else self.path,
            line=None if origin else line_of(self.lines, path),
            key=dotted,
            hint=f"known here: {', '.join(sorted(known))}" if unknown and known else "",
        )


def _written_path(detail: ErrorDetails) -> KeyPath:
    """The key as people wrote it: without the union's tag, and `agents` back under `agent`."""
    location = [str(part) for part in detail["loc"] if part != "[key]"]
    if detail["type"] == "union_tag_invalid":
        location.append("kind")
    kinds = {"command", "codex", "claude", "acp"}
    if location[0] == "agents":
        return ("agent", *location[1:2], *_without_tag(location[2:], kinds))
    if location[0] == "agent":
        return ("agent", *_without_tag(location[1:], kinds))
    return tuple(location)


def _without_tag(location: list[str], kinds: set[str]) -> list[str]:
    return location[1:] if location and location[0] in kinds else location


def _problem(detail: ErrorDetails, dotted: str) -> str:
    match detail["type"]:
        case "missing":
            return f"'{dotted}' is missing"
        case "union_tag_invalid":
            context = detail["ctx"]
            known = [tag.strip().strip("'") for tag in context["expected_tags"].split(",")]
            return _not_one_of(dotted, context["tag"], known)
        case "literal_error":
            known = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
            return _not_one_of(dotted, detail["input"], known)
        case "value_error":
            return f"{dotted}: {detail['ctx']['error']}"
        case _:
            # A database address may hold a password.
            shown = "" if dotted.startswith("state.") else f", not {_shorten(detail['input'])}"
            return f"{dotted}: {detail['msg'][0].lower()}{detail['msg'][1:]}{shown}"


def _not_one_of(dotted: str, value: object, known: Iterable[str]) -> str:
    choices = list(known)
    return f"{dotted} = {_shorten(value)} is not one of {', '.join(choices)}{did_you_mean(str(value), choices)}"


def _shorten(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def _fixed_keys(table: str) -> dict[str, bool]:
    """The keys of a table that has fixed ones, and whether each is text; `[agent]` has those of all its kinds."""
    return {
        key: info.annotation is str or get_origin(info.annotation) is Literal
        for model in _models(Config.model_fields[table].annotation)
        for key, info in model.model_fields.items()
    }


def _kinds(agent: type[BaseModel]) -> tuple[str, ...]:
    return get_args(agent.model_fields["kind"].annotation)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not dict:
        for argument in get_args(annotation):
            yield from _models(argument)


def _known_keys(table: KeyPath, detail: ErrorDetails) -> set[str]:
    if not table:
        return set(Config.model_fields) - {"agents"}
    if table[0] == "agent":
        models = {kind: model for model in _models(Config.model_fields["agent"].annotation) for kind in _kinds(model)}
        # The union's tag follows the table's own place.
        tags = [str(part) for part in detail["loc"][len(table) :][:1]]
        return {key for tag in tags if tag in models for key in models[tag].model_fields}
    if len(table) == 1 and table[0] in Config.model_fields:
        return set(_fixed_keys(table[0]))
    return set()


def _toml_value(value: str) -> object:
    """A value of the environment for a key that is no text, written as in TOML; what is not TOML stays text."""
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value
