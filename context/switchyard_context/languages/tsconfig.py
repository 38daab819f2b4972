"""Path aliases: the nearest tsconfig.json or jsconfig.json of a file, with what it extends and refers to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from switchyard_context.languages.contract import Tree, parents_of
from switchyard_context.languages.jsonc import read_object
from switchyard_context.languages.node_files import join

_NAMES = ("tsconfig.json", "jsconfig.json")
_LISTS = ("files", "include", "exclude")
_CONFIG_DIR = "${configDir}"
_Value = tuple[Any, str]
"""An option and the folder of the config that sets it."""


@dataclass(frozen=True)
class TsConfig:
    """What of a config matters for resolution; folders are paths in the tree."""

    folder: str = ""
    base_url: str | None = None
    paths: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Pattern with at most one `*` → candidate paths in the tree, the most specific pattern first."""
    out_dirs: tuple[str, ...] = ()
    root_dir: str | None = None
    root_dirs: tuple[str, ...] = ()
    """Folders that are one at run time: a relative path in one may mean a file in another."""
    files: tuple[str, ...] = ()
    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    def candidates(self, specifier: str) -> Iterator[str]:
        """Paths that an alias or the base URL gives for a bare specifier, the best first."""
        for pattern, targets in self.paths:
            matched = match_pattern(pattern, specifier)
            if matched is not None:
                yield from (target.replace("*", matched, 1) for target in targets)
                break
        if self.base_url is not None:
            joined = join(self.base_url, specifier)
            if joined is not None:
                yield joined

    def is_alias(self, specifier: str) -> bool:
        """Whether a pattern names this specifier; the catch-all `*` says nothing."""
        return any(match_pattern(pattern, specifier) is not None for pattern, _ in self.paths if pattern != "*")

    def twins(self, path: str) -> Iterator[str]:
        """Where else a path may lie, by `rootDirs`."""
        for root in self.root_dirs:
            if _is_in(path, root):
                yield from (f"{other}/{path[len(root) + 1 :]}" for other in self.root_dirs if other != root)

    def includes(self, path: str) -> bool:
        """Whether the config's project holds a file."""
        if path in self.files:
            return True
        include = self.include if self.include is not None else () if self.files else (self.folder,)
        return any(_covers(glob, path) for glob in include) and not any(_covers(glob, path) for glob in self.exclude)


def _covers(glob: str, path: str) -> bool:
    """Whether an `include` names a file: itself, its folder, or by `*`, `?` and `**`."""
    if not any(sign in glob for sign in "*?"):
        return _is_in(path, glob)
    return _glob_pattern(glob).fullmatch(path) is not None


@cache
def _glob_pattern(glob: str) -> re.Pattern[str]:
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    last_is_folder = "." not in glob.rpartition("/")[2] and not glob.endswith("*")
    return re.compile("".join(parts.get(piece) or re.escape(piece) for piece in pieces) + "(?:/.*)?" * last_is_folder)


def match_pattern(pattern: str, text: str) -> str | None:
    """What `*` stands for when the pattern matches; `""` for a pattern without one."""
    head, star, tail = pattern.partition("*")
    if not star:
        return "" if pattern == text else None
    if len(text) >= len(head) + len(tail) and text.startswith(head) and text.endswith(tail):
        return text[len(head) : len(text) - len(tail)]
    return None


@dataclass
class TsConfigs:
    """The configs of one tree, read when first asked for."""

    tree: Tree
    find_package: Callable[[str], str | None]
    """Folder of a workspace package, for `extends: "@scope/config/base.json"`."""
    _read: dict[str, TsConfig] = field(default_factory=dict)
    _nearest: dict[str, tuple[TsConfig, ...]] = field(default_factory=dict)

    def of(self, path: str) -> tuple[TsConfig, ...]:
        """The configs that rule a file, the one whose project holds it first: the nearest, or one it refers to."""
        folder = posixpath.dirname(path)
        if folder not in self._nearest:
            self._nearest[folder] = self._find(folder)
        configs = self._nearest[folder]
        if len(configs) < 2 or configs[0].includes(path):
            return configs
        return tuple(sorted(configs, key=lambda config: not config.includes(path)))

    def beside(self, folder: str) -> tuple[TsConfig, ...]:
        """Every config in a folder, those for the build among them."""
        return tuple(self.read(path) for path in self._by_folder.get(folder, ()))

    @cached_property
    def _by_folder(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in sorted(path for path in self.tree.paths if path.endswith(".json") and "tsconfig" in path):
            folder, _, name = path.rpartition("/")
            if name.startswith("tsconfig"):
                found.setdefault(folder, []).append(path)
        return found

    def _find(self, folder: str) -> tuple[TsConfig, ...]:
        for parent in (folder, *parents_of(folder)):
            for name in _NAMES:
                path = f"{parent}/{name}" if parent else name
                if path in self.tree.paths:
                    own = self.read(path)
                    # A solution file rules nothing itself; the projects beside it do, not those of other folders.
                    nearby = [ref for ref in own.references if _is_in(folder, posixpath.dirname(ref))]
                    return (own, *(self.read(reference) for reference in nearby))
        return ()

    def read(self, path: str) -> TsConfig:
        """One config with its ancestors folded in; a config that extends itself stops there."""
        if path not in self._read:
            folder = posixpath.dirname(path)
            values, references = self._merge(path, frozenset())
            targets = self._referenced(folder, references)
            self._read[path] = _make_config(folder, values, tuple(targets))
        return self._read[path]

    def _merge(self, path: str, seen: frozenset[str]) -> tuple[dict[str, _Value], list[Any]]:
        data = read_object(self.tree.read(path))
        folder = posixpath.dirname(path)
        values: dict[str, _Value] = {}
        for parent in self._extended(folder, data.get("extends")):
            if parent not in seen and parent != path:
                values.update(self._merge(parent, seen | {path})[0])
        options = data.get("compilerOptions")
        own = {
            **(options if isinstance(options, dict) else {}),
            **{name: data[name] for name in _LISTS if name in data},
        }
        values.update((name, (value, folder)) for name, value in own.items())
        references = data.get("references")
        return values, references if isinstance(references, list) else []

    def _extended(self, folder: str, value: Any) -> Iterator[str]:
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, str):
                continue
            target = join(folder, item) if item.startswith(".") else self._in_package(item)
            if target is None:
                continue
            for candidate in (target, f"{target}.json", f"{target}/tsconfig.json"):
                if candidate in self.tree.paths:
                    yield candidate
                    break

    def _in_package(self, specifier: str) -> str | None:
        parts = specifier.split("/")
        size = 2 if specifier.startswith("@") else 1
        folder = self.find_package("/".join(parts[:size]))
        return None if folder is None else join(folder, "/".join(parts[size:]) or ".")

    def _referenced(self, folder: str, references: list[Any]) -> Iterator[str]:
        for item in (item.get("path") for item in references if isinstance(item, dict)):
            target = join(folder, item) if isinstance(item, str) else None
            for candidate in (target, f"{target}/tsconfig.json") if target is not None else ():
                if candidate in self.tree.paths and candidate.endswith(".json"):
                    yield candidate
                    break


def _is_in(path: str, ancestor: str) -> bool:
    return not ancestor or path == ancestor or path.startswith(ancestor + "/")


def _make_config(folder: str, values: dict[str, _Value], references: tuple[str, ...]) -> TsConfig:
    base_url = next(iter(_places(folder, values.get("baseUrl"))), None)
    return TsConfig(
        folder,
        base_url,
        tuple(_aliases(folder, values.get("paths"), base_url)),
        (*_places(folder, values.get("outDir")), *_places(folder, values.get("declarationDir"))),
        next(iter(_places(folder, values.get("rootDir"))), None),
        _places(folder, values.get("rootDirs")),
        _places(folder, values.get("files")),
        _places(folder, values["include"]) if "include" in values else None,
        _places(folder, values.get("exclude")),
        references,
    )


def _aliases(folder: str, value: _Value | None, base_url: str | None) -> list[tuple[str, tuple[str, ...]]]:
    declared, origin = value if value is not None else ({}, folder)
    found: list[tuple[str, tuple[str, ...]]] = []
    for pattern, targets in declared.items() if isinstance(declared, dict) else ():
        # Where there is a base URL, `paths` start from it, wherever they are declared.
        found.append((pattern, _places(folder, (targets, base_url if base_url is not None else origin))))
    return sorted(found, key=lambda item: (item[0].count("*"), -len(item[0].partition("*")[0])))


def _places(folder: str, value: _Value | None) -> tuple[str, ...]:
    """Paths written in a config, seen from where it lies; `${configDir}` is the folder of the config that was asked."""
    declared, origin = value if value is not None else ((), folder)
    texts = [declared] if isinstance(declared, str) else declared if isinstance(declared, list) else []
    joined = (
        join(folder, text[len(_CONFIG_DIR) :].lstrip("/") or ".")
        if text.startswith(_CONFIG_DIR)
        else join(origin, text)
        for text in texts
        if isinstance(text, str)
    )
    return tuple(path for path in joined if path is not None)
