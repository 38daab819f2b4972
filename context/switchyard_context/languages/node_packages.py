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
from switchyard_context.languages.tsconfig import TsConfigs, match_pattern

_BUILT = re.compile(r"dist(-types)?|build|lib|out(put)?|esm|cjs|es|umd|types|typings|bundles")
_FORMATS = re.compile(r"esm|cjs|es|mjs|umd|types|typings|src|commonjs|module|modern|legacy|node|browser")
_PNPM = "pnpm-workspace.yaml"
_SOURCES = ("src", "source", "lib", "")
_STANDARD_CONDITIONS = frozenset(["types", "import", "require", "node", "default"])
_PLATFORM_CONDITIONS = frozenset(
    (
        *("react-server", "react-native", "worker", "workerd", "edge-light", "deno", "bun", "electron", "browser"),
        *("module", "module-sync", "node-addons", "production", "script", "style", "sass", "svelte", "asset", "test"),
    )
)


@dataclass(frozen=True)
class NodePackage:
    """One package.json."""

    folder: str
    data: dict[str, Any] = field(hash=False, compare=False)

    @property
    def name(self) -> str:
        name = self.data.get("name")
        return name if isinstance(name, str) else ""

    def dependency(self, name: str) -> str:
        """The version that this package wants of another; empty if it does not name it."""
        for kind in ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies"):
            table = self.data.get(kind)
            version = table.get(name) if isinstance(table, dict) else None
            if isinstance(version, str):
                return version
        return ""

    def exported(self, subpath: str) -> Iterator[str]:
        """Paths, relative to the package, that `name/subpath` may stand for, the nearest to the source first."""
        exports = self.data.get("exports")
        if exports is not None:
            yield from _match_conditions(exports, f"./{subpath}" if subpath else ".")
        elif subpath:
            yield from self._by_version(subpath)
            yield subpath
        else:
            fields = ("source", "types", "typings", "main", "module")
            written = [value for name in fields if isinstance(value := self.data.get(name), str)]
            for value in written:
                yield from self._by_version(value)
            yield from written

    def _by_version(self, path: str) -> Iterator[str]:
        """What `typesVersions` makes of a path, for whatever version of TypeScript."""
        versions = self.data.get("typesVersions")
        for table in versions.values() if isinstance(versions, dict) else ():
            for pattern, targets in table.items() if isinstance(table, dict) else ():
                matched = match_pattern(pattern, path.removeprefix("./"))
                if matched is not None:
                    yield from (leaf.replace("*", matched) for leaf in _leaves(targets))

    def imported(self, specifier: str) -> Iterator[str]:
        """Paths, or packages, for a `#name` of this package's own `imports`."""
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
    for name in table:
        if name.endswith("/") and key.startswith(name):
            yield from (leaf + key[len(name) :] for leaf in _leaves(table[name]))


def _leaves(value: Any) -> Iterator[str]:
    """Every path under a conditions object, the likeliest first."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        for condition in sorted(value, key=_condition_rank):
            yield from _leaves(value[condition])


def _condition_rank(name: str) -> int:
    """A condition of the repository's own (`source`, `@org/dev`) names the source; other platforms' come last."""
    if name in _STANDARD_CONDITIONS or name.startswith("types@"):
        return 1
    return 2 if name in _PLATFORM_CONDITIONS else 0


class NodePackages:
    """Every package of a tree by name and by folder."""

    def __init__(self, tree: Tree, files: NodeFiles) -> None:
        self._tree = tree
        self._configs = TsConfigs(tree, self._folder_of)
        self._files = files
        self._members: dict[str, bool] = {}
        self._has_committed = False
        self._workspaces: dict[str, list[str]] = {}
        self._by_folder: dict[str, NodePackage] = {}
        self._by_name: defaultdict[str, list[NodePackage]] = defaultdict(list)
        for path in sorted(path for path in tree.paths if path.endswith("package.json")):
            if path.rpartition("/")[2] == "package.json":
                package = NodePackage(posixpath.dirname(path), read_object(tree.read(path)))
                self._by_folder[package.folder] = package
                if "node_modules/" in path:
                    self._has_committed = True
                elif package.name:
                    self._by_name[package.name].append(package)

    @property
    def configs(self) -> TsConfigs:
        return self._configs

    def _folder_of(self, name: str) -> str | None:
        found = self.find(name)
        return found[0].folder if found else None

    def nearest(self, path: str) -> NodePackage | None:
        """The package that a file belongs to."""
        return next((self._by_folder[parent] for parent in parents_of(path) if parent in self._by_folder), None)

    def at(self, folder: str) -> NodePackage | None:
        return self._by_folder.get(folder)

    def find(self, specifier: str, importer: str = "") -> tuple[NodePackage, str] | None:
        """(package, subpath) of a bare specifier; of several with one name, a workspace member near the importer."""
        parts = specifier.split("/")
        size = 2 if specifier.startswith("@") else 1
        name, subpath = "/".join(parts[:size]), "/".join(parts[size:])
        best = self._committed(name, importer) or self._linked(name, importer)
        if best is None and name in self._by_name and self._is_reachable(name, importer):
            best = min(self._by_name[name], key=lambda package: self._distance(package, importer))
        return None if best is None else (best, subpath)

    def _committed(self, name: str, importer: str) -> NodePackage | None:
        """A package in a `node_modules` folder that is part of the tree, where Node would find it."""
        for folder in parents_of(importer) if self._has_committed else ():
            path = f"{folder}/node_modules/{name}" if folder else f"node_modules/{name}"
            if path in self._by_folder:
                return self._by_folder[path]
        return None

    def _linked(self, name: str, importer: str) -> NodePackage | None:
        """The folder that the importer's own package says a dependency is: `file:../x`, `link:./x`."""
        for folder in parents_of(importer):
            package = self._by_folder.get(folder)
            version = package.dependency(name) if package is not None else ""
            if version:
                kind, colon, path = version.partition(":")
                target = join(folder, path) if colon and kind in ("file", "link", "portal") else None
                return self._by_folder.get(target) if target is not None else None
        return None

    def _is_reachable(self, name: str, importer: str) -> bool:
        """Whether an installer links the workspace's own package where the importer looks for it.

        npm and yarn link every member at the top; pnpm links only what a member declares, and nothing for others.
        """
        folders = list(parents_of(importer))
        if not any(join(folder, _PNPM) in self._tree.paths for folder in folders):
            return True
        owners = [self._by_folder[folder] for folder in folders if folder in self._by_folder]
        return any(
            owner.name == name or (bool(owner.dependency(name)) and self._is_member(owner.folder)) for owner in owners
        )

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

    def locate(self, package: NodePackage, relative: str) -> str | None:
        """The source file behind a path that a package exports, built or not."""
        path = join(package.folder, relative)
        return None if path is None else self._files.find(path) or self.unbuilt(package, path)

    def entry(self, package: NodePackage) -> str | None:
        """Where a package starts when its manifest does not say, or says what is not in the tree."""
        folders = [f"{package.folder}/{name}" if package.folder else name for name in ("src", "lib", "source")]
        return next((found for folder in (*folders, package.folder) if (found := self._files.find_index(folder))), None)

    def unbuilt(self, package: NodePackage, path: str) -> str | None:
        """The source that the build makes a file of the package from, by its configs or else by convention."""
        stem = without_suffix(path)
        for built, sources in self._outputs(package.folder):
            if stem.startswith(built + "/"):
                inner = stem[len(built) + 1 :]
                found = self._first(f"{source}/{inner}" if source else inner for source in sources)
                if found:
                    return found
        folder = package.folder
        parts = stem[len(folder) + 1 if folder else 0 :].split("/")
        if not _BUILT.fullmatch(parts[0]) or len(parts) < 2:
            return None
        tails = ((folder, source, *rest) for rest in _tails(parts[1:]) for source in _SOURCES)
        return self._first("/".join(part for part in tail if part) for tail in tails)

    def _first(self, paths: Iterable[str]) -> str | None:
        return next((found for path in paths if (found := self._files.find(path))), None)

    def _outputs(self, folder: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(folder of the output, folders that it may mirror) by the configs in a package's folder."""
        for config in self._configs.beside(folder):
            root = config.root_dir if config.root_dir is not None else folder
            for built in config.out_dirs:
                if built != folder:
                    yield built, (root, f"{root}/src" if root else "src")


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
    path = f"{folder}/{_PNPM}" if folder else _PNPM
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
