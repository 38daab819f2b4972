"""Workspace packages: which folder a package name means, and which source stands behind what it exports.

A fresh checkout has no `dist`, so an export that points into one is mapped back to the source it is built from.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from switchyard_context.languages.contract import Tree, parents_of
from switchyard_context.languages.jsonc import read_object
from switchyard_context.languages.node_files import NodeFiles, join, without_suffix
from switchyard_context.languages.tsconfig import TsConfig, match_pattern

_BUILT = re.compile(r"dist(-types)?|build|lib|out(put)?|esm|cjs|es|umd|types|typings|bundles")
_FORMATS = re.compile(r"esm|cjs|es|mjs|umd|types|typings|src|commonjs|module|modern|legacy|node|browser")
_SOURCES = ("src", "source", "lib", "")
_STANDARD_CONDITIONS = ("types", "import", "module", "require", "node", "browser", "default")


@dataclass(frozen=True)
class NodePackage:
    """One package.json."""

    folder: str
    data: dict[str, Any] = field(hash=False, compare=False)

    @property
    def name(self) -> str:
        name = self.data.get("name")
        return name if isinstance(name, str) else ""

    def exported(self, subpath: str) -> Iterator[str]:
        """Paths, relative to the package, that `name/subpath` may stand for, the nearest to the source first."""
        exports = self.data.get("exports")
        key = f"./{subpath}" if subpath else "."
        if exports is not None:
            yield from _match_conditions(exports, key)
        elif subpath:
            yield subpath
        else:
            fields = ("source", "types", "typings", "module", "main")
            yield from (value for name in fields if isinstance(value := self.data.get(name), str))

    def imported(self, specifier: str) -> Iterator[str]:
        """Paths for a `#name` of this package's own `imports`."""
        imports = self.data.get("imports")
        yield from _match_conditions(imports, specifier) if isinstance(imports, dict) else ()


def _match_conditions(table: Any, key: str) -> Iterator[str]:
    has_subpaths = isinstance(table, dict) and any(name.startswith((".", "#")) for name in table)
    if not has_subpaths:
        if key == ".":
            yield from _leaves(table)
        return
    if key in table:
        yield from _leaves(table[key])
        return
    patterns = sorted((name for name in table if "*" in name), key=lambda name: -len(name.partition("*")[0]))
    for pattern in patterns:
        matched = match_pattern(pattern, key)
        if matched is not None:
            yield from (leaf.replace("*", matched) for leaf in _leaves(table[pattern]))
            return


def _leaves(value: Any) -> Iterator[str]:
    """Every path under a conditions object; a custom condition (`source`, `@org/dev`) usually names the source."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        for condition in sorted(value, key=lambda name: name in _STANDARD_CONDITIONS):
            yield from _leaves(value[condition])


class NodePackages:
    """Every package of a tree by name and by folder."""

    def __init__(self, tree: Tree, files: NodeFiles) -> None:
        self._tree = tree
        self._files = files
        self._members: dict[str, bool] = {}
        self._workspaces: dict[str, list[str]] = {}
        self._by_folder: dict[str, NodePackage] = {}
        self._by_name: defaultdict[str, list[NodePackage]] = defaultdict(list)
        for path in sorted(path for path in tree.paths if path.endswith("package.json")):
            if path.rpartition("/")[2] == "package.json" and "node_modules/" not in path:
                package = NodePackage(posixpath.dirname(path), read_object(tree.read(path)))
                self._by_folder[package.folder] = package
                if package.name:
                    self._by_name[package.name].append(package)

    def nearest(self, path: str) -> NodePackage | None:
        """The package that a file belongs to."""
        return next((self._by_folder[parent] for parent in parents_of(path) if parent in self._by_folder), None)

    def at(self, folder: str) -> NodePackage | None:
        return self._by_folder.get(folder)

    def find(self, specifier: str, importer: str = "") -> tuple[NodePackage, str] | None:
        """(package, subpath) of a bare specifier; of several with one name, a workspace member near the importer."""
        parts = specifier.split("/")
        size = 2 if specifier.startswith("@") else 1
        packages = self._by_name.get("/".join(parts[:size]))
        if not packages:
            return None
        best = min(packages, key=lambda package: self._distance(package, importer))
        return best, "/".join(parts[size:])

    def _distance(self, package: NodePackage, importer: str) -> tuple[bool, int, str]:
        shared = len(posixpath.commonprefix([package.folder.split("/"), importer.split("/")]))
        return not self._is_member(package.folder), -shared, package.folder

    def _is_member(self, folder: str) -> bool:
        """Whether a folder is a workspace's root or one of its packages."""
        if folder not in self._members:
            self._members[folder] = bool(self._patterns(folder)) or any(
                _is_member(folder, root, self._patterns(root)) for root in parents_of(folder)
            )
        return self._members[folder]

    def _patterns(self, folder: str) -> list[str]:
        if folder not in self._workspaces:
            package = self._by_folder.get(folder)
            declared = _workspace_patterns(package.data) if package else []
            self._workspaces[folder] = [*declared, *_pnpm_patterns(self._tree, folder)]
        return self._workspaces[folder]

    def locate(self, package: NodePackage, relative: str, configs: Iterable[TsConfig] = ()) -> str | None:
        """The source file behind a path that a package exports, built or not."""
        path = join(package.folder, relative)
        if path is None:
            return None
        return self._files.find(path) or self._unbuilt(package.folder, path, tuple(configs))

    def entry(self, package: NodePackage) -> str | None:
        """Where a package starts when its manifest does not say, or says what is not in the tree."""
        folders = [f"{package.folder}/{name}" if package.folder else name for name in ("src", "lib", "source")]
        return next((found for folder in (*folders, package.folder) if (found := self._files.find_index(folder))), None)

    def _unbuilt(self, folder: str, path: str, configs: tuple[TsConfig, ...]) -> str | None:
        stem = without_suffix(path)
        for config in configs:
            if config.out_dir and stem.startswith(config.out_dir + "/"):
                inner = stem[len(config.out_dir) + 1 :]
                found = self._files.find(join(config.root_dir or folder, inner) or inner)
                if found:
                    return found
        parts = stem[len(folder) + 1 if folder else 0 :].split("/")
        if not _BUILT.fullmatch(parts[0]) or len(parts) < 2:
            return None
        for rest in _tails(parts[1:]):
            for source in _SOURCES:
                found = self._files.find("/".join(part for part in (folder, source, *rest) if part))
                if found:
                    return found
        return None


def _tails(parts: list[str]) -> Iterator[list[str]]:
    yield parts
    while len(parts) > 1 and _FORMATS.fullmatch(parts[0]):
        parts = parts[1:]
        yield parts


def _workspace_patterns(data: dict[str, Any]) -> list[str]:
    value = data.get("workspaces")
    if isinstance(value, dict):
        value = value.get("packages")
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _pnpm_patterns(tree: Tree, folder: str) -> list[str]:
    path = f"{folder}/pnpm-workspace.yaml" if folder else "pnpm-workspace.yaml"
    if path not in tree.paths:
        return []
    text = tree.read(path).decode("utf-8", "replace")
    block = re.search(r"^packages:[^\n]*\n((?:[ \t]*(?:-|#)[^\n]*\n|\s*\n)*)", text + "\n", re.MULTILINE)
    return re.findall(r"^\s*-\s*['\"]?([^'\"\s#]+)", block.group(1), re.MULTILINE) if block else []


def _is_member(folder: str, root: str, patterns: list[str]) -> bool:
    if root and not folder.startswith(root + "/"):
        return False
    relative = folder[len(root) + 1 if root else 0 :]
    included = False
    for pattern in patterns:
        glob = pattern.lstrip("!").removeprefix("./").rstrip("/")
        if _glob_matches(glob, relative):
            included = not pattern.startswith("!")
    return included


def _glob_matches(glob: str, path: str) -> bool:
    if "**" in glob:
        return fnmatchcase(path, glob.replace("**", "*"))
    return glob.count("/") == path.count("/") and fnmatchcase(path, glob)
