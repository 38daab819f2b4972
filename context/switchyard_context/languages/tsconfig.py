"""Path aliases: the nearest tsconfig.json or jsconfig.json of a file, with what it extends and refers to."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from switchyard_context.languages.contract import Tree, parents_of
from switchyard_context.languages.jsonc import read_object
from switchyard_context.languages.node_files import join

_NAMES = ("tsconfig.json", "jsconfig.json")


@dataclass(frozen=True)
class TsConfig:
    """What of a config matters for resolution; folders are paths in the tree."""

    base_url: str | None = None
    paths: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Pattern with at most one `*` → candidate paths in the tree, the most specific pattern first."""
    out_dir: str | None = None
    root_dir: str | None = None
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
        """The configs that rule a file: the nearest one, then those it refers to."""
        folder = posixpath.dirname(path)
        if folder not in self._nearest:
            self._nearest[folder] = self._find(folder)
        return self._nearest[folder]

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

    def read(self, path: str, seen: frozenset[str] = frozenset()) -> TsConfig:
        """One config with its ancestors folded in; a config that extends itself stops there."""
        if path not in self._read or seen:
            config = self._parse(path, seen)
            if seen:
                return config
            self._read[path] = config
        return self._read[path]

    def _parse(self, path: str, seen: frozenset[str]) -> TsConfig:
        data = read_object(self.tree.read(path))
        folder = posixpath.dirname(path)
        result = TsConfig()
        for parent in self._extended(folder, data.get("extends")):
            if parent not in seen and parent != path:
                result = _overlay(result, self.read(parent, seen | {path}))
        options = data.get("compilerOptions")
        own = _own_config(folder, options if isinstance(options, dict) else {})
        references = [item.get("path") for item in data.get("references") or () if isinstance(item, dict)]
        return _overlay(_overlay(TsConfig(), result), own, tuple(self._referenced(folder, references)))

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

    def _referenced(self, folder: str, paths: list[Any]) -> Iterator[str]:
        for item in paths:
            target = join(folder, item) if isinstance(item, str) else None
            for candidate in (target, f"{target}/tsconfig.json") if target is not None else ():
                if candidate in self.tree.paths and candidate.endswith(".json"):
                    yield candidate
                    break


def _is_in(folder: str, ancestor: str) -> bool:
    return not ancestor or folder == ancestor or folder.startswith(ancestor + "/")


def _own_config(folder: str, options: dict[str, Any]) -> TsConfig:
    base_url = _folder_option(folder, options.get("baseUrl"))
    origin = base_url if base_url is not None else folder
    paths: list[tuple[str, tuple[str, ...]]] = []
    declared = options.get("paths")
    for pattern, targets in declared.items() if isinstance(declared, dict) else ():
        texts = [item for item in targets if isinstance(item, str)] if isinstance(targets, list) else []
        joined = (join(origin if not text.startswith("${") else folder, _bare(text)) for text in texts)
        paths.append((pattern, tuple(path for path in joined if path is not None)))
    paths.sort(key=lambda item: (item[0].count("*"), -len(item[0].partition("*")[0])))
    return TsConfig(
        base_url,
        tuple(paths),
        _folder_option(folder, options.get("outDir")),
        _folder_option(folder, options.get("rootDir")),
    )


def _folder_option(folder: str, value: Any) -> str | None:
    return join(folder, _bare(value)) if isinstance(value, str) else None


def _bare(text: str) -> str:
    return text.replace("${configDir}/", "").replace("${configDir}", ".")


def _overlay(below: TsConfig, above: TsConfig, references: tuple[str, ...] = ()) -> TsConfig:
    return TsConfig(
        above.base_url if above.base_url is not None else below.base_url,
        above.paths or below.paths,
        above.out_dir if above.out_dir is not None else below.out_dir,
        above.root_dir if above.root_dir is not None else below.root_dir,
        references,
    )
