"""Configuration of test runners, whatever it is written in, as key → values."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml

from switchyard.gates.weakening.javascript import syntax_of
from switchyard.gates.weakening.syntax import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

Settings = dict[str, tuple[str, ...]]
"""Dotted key → its values; one for a scalar. Tables in lists are told apart by their `name`."""

_MAX_DEPTH = 40
_TAG = re.compile(r"<(/?)([\w.:-]+)[^>]*?(/?)>([^<]*)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_GRADLE = re.compile(r"^\s*([\w.]+)\s*(?:=|\(|\s)\s*(.+?)\)?\s*$")
_GRADLE_BLOCK = re.compile(r"^\s*([\w.]+)\b.*\{\s*$")


def read_settings(path: str, source: bytes) -> Settings | None:
    """The settings of a file, or None where it isn't one that can be read."""
    name, text = PurePosixPath(path).name, source.decode("utf-8", "replace")
    try:
        if name.endswith(".toml"):
            return _flatten(tomllib.loads(text))
        if name.endswith((".ini", ".cfg")) or name == ".coveragerc":
            return _read_ini(text)
        if name.endswith(".json") or name in (".nycrc", ".mocharc", ".c8rc"):
            return _flatten(json.loads(text))
        if name.endswith((".yml", ".yaml")):
            return _flatten(yaml.safe_load(text))
    except (tomllib.TOMLDecodeError, configparser.Error, json.JSONDecodeError, yaml.YAMLError, RecursionError):
        return None
    if name.endswith(".xml"):
        return _read_xml(text)
    if name.endswith((".gradle", ".gradle.kts")):
        return _read_gradle(text)
    if name.endswith((".js", ".ts", ".mjs", ".cjs", ".mts", ".cts")):
        return _read_objects(path, source)
    return None


def _flatten(value: Any) -> Settings:
    settings: Settings = {}
    for key, item in _leaves(value, ""):
        settings[key] = (*settings.get(key, ()), item)
    return settings


def _leaves(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for item in value:
            named = f"{key}[{item['name']}]" if isinstance(item, Mapping) and "name" in item else key
            yield from _leaves(item, named)
    else:
        yield key, str(value).lower() if isinstance(value, bool) else str(value)


def _read_ini(text: str) -> Settings:
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except AttributeError as err:
        # What configparser does with a line that goes on from a key without a value.
        raise configparser.Error(str(err)) from err
    return {
        f"{section}.{key}": tuple(line.strip() for line in (value or "").splitlines() if line.strip())
        for section in parser.sections()
        for key, value in parser.items(section)
    }


def _read_xml(text: str) -> Settings:
    settings: Settings = {}
    stack: list[str] = []
    for closing, tag, empty, content in _TAG.findall(_COMMENT.sub("", text)):
        if closing:
            if stack:
                stack.pop()
            continue
        if len(stack) >= _MAX_DEPTH:
            break
        stack.append(tag)
        if content.strip():
            if tag == "artifactId" and len(stack) > 1:
                stack[-2] = f"{stack[-2]}[{content.strip()}]"
            key = ".".join(stack)
            settings[key] = (*settings.get(key, ()), content.strip())
        if empty:
            stack.pop()
    return settings


def _read_gradle(text: str) -> Settings:
    settings: Settings = {}
    stack: list[str] = []
    for line in text.splitlines():
        line = line.split("//")[0].rstrip()
        block = _GRADLE_BLOCK.match(line)
        found = _GRADLE.match(line)
        if block:
            stack.append(block[1])
        elif found and "{" not in line:
            key = ".".join([*stack, found[1]])
            values = tuple(part.strip().strip("\"'") for part in found[2].split(","))
            settings[key] = (*settings.get(key, ()), *values)
        for _ in range(line.count("}") - (line.count("{") if not block else line.count("{") - 1)):
            if stack:
                stack.pop()
    return settings


def _read_objects(path: str, source: bytes) -> Settings:
    settings: Settings = {}
    _read_object(syntax_of(path).parse(source), "", settings)
    return settings


def _read_object(node: Node, key: str, settings: Settings) -> None:
    if node.type == "pair":
        name = text_of(node.child_by_field_name("key")).strip("\"'`")
        inner = f"{key}.{name}" if key else name
        value = node.child_by_field_name("value")
        if value is None:
            return
        if value.type == "object":
            _read_object(value, inner, settings)
        elif value.type == "array":
            items = [item for item in value.named_children if item.type != "comment"]
            settings[inner] = tuple(text_of(item).strip("\"'`") for item in items if item.type != "object")
            for item in items:
                if item.type == "object":
                    _read_object(item, inner, settings)
        else:
            settings[inner] = (text_of(value).strip("\"'`"),)
            _read_object(value, inner, settings)
        return
    for child in node.named_children:
        _read_object(child, key, settings)
