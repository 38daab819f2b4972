"""Cargo's view of a tree: packages, the files that crates begin with, and which name means which crate of the tree."""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from switchyard_context.languages.contract import Tree, parents_of

_MANIFEST = "Cargo.toml"
_AUTO_FOLDERS = {"bin": "src/bin", "example": "examples", "test": "tests", "bench": "benches"}
_DEPENDENCY_TABLES = ("dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies")
_AUTO_KEYS = {"bin": "autobins", "example": "autoexamples", "test": "autotests", "bench": "autobenches"}


@dataclass(frozen=True)
class Package:
    """One `Cargo.toml` with a `[package]`."""

    folder: str
    data: dict[str, Any] = field(hash=False)

    @property
    def library(self) -> str:
        """The file that the library begins with; it need not exist."""
        return self.at(_text(_table(self.data, "lib"), "path") or "src/lib.rs")

    @property
    def library_name(self) -> str:
        name = _text(_table(self.data, "lib"), "name") or _text(_table(self.data, "package"), "name")
        return name.replace("-", "_")

    @property
    def edition(self) -> str:
        """`2015` where the manifest says nothing, as cargo has it; workspaces do not lend theirs to so old a crate."""
        edition = _table(self.data, "package").get("edition", "2015")
        return edition if isinstance(edition, str) else "2021"

    def at(self, relative: str) -> str:
        return _join(self.folder, relative)

    def is_root(self, path: str) -> bool:
        """Whether a crate begins with this file: a library, a program, an example, a test, a bench, `build.rs`."""
        return path in self._declared_roots or self._is_found_root(path)

    @cached_property
    def _declared_roots(self) -> frozenset[str]:
        package = _table(self.data, "package")
        build = package.get("build", "build.rs")
        found = [self.library, self.at("src/main.rs")]
        found += [self.at(build)] if isinstance(build, str) else []
        for kind, folder in _AUTO_FOLDERS.items():
            for target in _tables(self.data.get(kind)):
                name, path = _text(target, "name"), _text(target, "path")
                if path:
                    found.append(self.at(path))
                elif name:
                    found += [self.at(f"{folder}/{name}.rs"), self.at(f"{folder}/{name}/main.rs")]
        return frozenset(found)

    def _is_found_root(self, path: str) -> bool:
        package = _table(self.data, "package")
        for kind, folder in _AUTO_FOLDERS.items():
            prefix = self.at(folder) + "/"
            if path.startswith(prefix) and package.get(_AUTO_KEYS[kind], True) is not False:
                rest = path.removeprefix(prefix)
                return "/" not in rest or (rest.count("/") == 1 and rest.endswith("/main.rs"))
        return False


class Packages:
    """The packages of a tree, read when they are asked for."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._manifests: dict[str, dict[str, Any]] = {}
        self._packages: dict[str, Package | None] = {}
        self._nearest: dict[str, Package | None] = {}
        self._libraries: dict[str, dict[str, str]] = {}

    def of(self, path: str) -> Package | None:
        """The package that a file belongs to."""
        folder = path.rpartition("/")[0]
        if folder not in self._nearest:
            found = (self._package_at(parent) for parent in parents_of(path))
            self._nearest[folder] = next((package for package in found if package is not None), None)
        return self._nearest[folder]

    def crate(self, package: Package, name: str) -> str | None:
        """The first file of the crate of this tree that a package's code calls `name`."""
        if package.folder not in self._libraries:
            self._libraries[package.folder] = dict(self._named_libraries(package))
        return self._libraries[package.folder].get(name)

    def _named_libraries(self, package: Package) -> Iterator[tuple[str, str]]:
        for key, folder, is_renamed in self._dependencies(package):
            found = self._package_at(folder)
            if found is not None and found.library in self._tree.paths:
                yield key.replace("-", "_"), found.library
                if not is_renamed:
                    yield found.library_name, found.library
        if package.library in self._tree.paths:
            yield package.library_name, package.library

    def _dependencies(self, package: Package) -> Iterator[tuple[str, str, bool]]:
        """(name, folder, whether the name is not the package's own) of the dependencies that lie in the tree."""
        root, workspace = self._workspace_of(package)
        patched = {
            name: _join(root, path)
            for source in _table(workspace, "patch").values()
            for name, path in _paths_in(source)
        }
        shared = _table(_table(workspace, "workspace"), "dependencies")
        for table in _dependency_tables(package.data):
            for key, value in table.items():
                base, spec = package.folder, value if isinstance(value, dict) else {}
                if spec.get("workspace") is True:
                    base, spec = root, _table(shared, key)
                name = _text(spec, "package") or key
                folder = _join(base, spec["path"]) if _text(spec, "path") else patched.get(name)
                if folder is not None:
                    yield key, folder, name != key

    def _workspace_of(self, package: Package) -> tuple[str, dict[str, Any]]:
        """The folder and the manifest of the workspace around a package; its own where there is none."""
        named = _text(_table(package.data, "package"), "workspace")
        if named:
            folder = package.at(named)
            return folder, self._manifest(folder)
        for folder in parents_of(f"{package.folder}/{_MANIFEST}" if package.folder else _MANIFEST):
            manifest = self._manifest(folder)
            if "workspace" in manifest:
                return folder, manifest
        return package.folder, package.data

    def _package_at(self, folder: str) -> Package | None:
        if folder not in self._packages:
            manifest = self._manifest(folder)
            self._packages[folder] = Package(folder, manifest) if isinstance(manifest.get("package"), dict) else None
        return self._packages[folder]

    def _manifest(self, folder: str) -> dict[str, Any]:
        if folder not in self._manifests:
            path = _join(folder, _MANIFEST)
            self._manifests[folder] = _parse(self._tree.read(path)) if path in self._tree.paths else {}
        return self._manifests[folder]


def _parse(source: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(source.decode("utf-8", "replace"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _dependency_tables(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _DEPENDENCY_TABLES:
        yield _table(data, name)
        for target in _table(data, "target").values():
            yield _table(target, name)


def _paths_in(source: Any) -> Iterator[tuple[str, str]]:
    for key, spec in source.items() if isinstance(source, dict) else ():
        if isinstance(spec, dict) and _text(spec, "path"):
            yield _text(spec, "package") or key, spec["path"]


def _table(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _tables(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def _join(folder: str, relative: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, relative))
    return "" if joined == "." else joined
