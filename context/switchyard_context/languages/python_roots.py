"""Where Python looks for top-level modules in a tree: declared source roots, and those that the layout shows."""

from __future__ import annotations

import configparser
import posixpath
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from switchyard_context.languages.contract import Tree, parents_of

STANDARD_LIBRARY = sys.stdlib_module_names

# Packages below a test folder are samples for one test each.
_TESTS = re.compile(r"tests?|testing")
_INITS = frozenset(("__init__.py", "__init__.pyi"))
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
# What lies in these is a sample or somebody else's code: its top-level names are not importable from outside it.
_ENCLOSED = re.compile(
    r"fixtures?|test_?data|test-data|data|example_scripts|examples?|samples|templates|_?vendor|third_party|node_modules"
    r"|site-packages"
)


@dataclass(frozen=True)
class PythonLayout:
    """The folders of a tree that hold Python files, its packages, and its source roots."""

    files: frozenset[str]
    folders: frozenset[str]
    packages: frozenset[str]
    """Folders with an `__init__.py`."""
    declared: frozenset[str]
    roots_of_name: dict[str, tuple[str, ...]]
    """Top-level module name → the roots that hold one."""

    def roots_for(self, name: str, importer: str) -> list[str]:
        """The roots to try for a top-level name, the one nearest to the importer first."""
        folder = posixpath.dirname(importer)
        usable = [root for root in self.roots_of_name.get(name, ()) if self._is_usable(root, folder, name)]
        return sorted(usable, key=lambda root: (*_distance(root, folder), root not in self.declared, root))

    def _is_usable(self, root: str, folder: str, name: str) -> bool:
        if _contains(root, folder):
            return True
        if name in STANDARD_LIBRARY:
            return False
        if root in self.declared:
            return True
        parts = root.split("/")
        foreign = set(parts) - set(folder.split("/"))
        return not any(_ENCLOSED.fullmatch(part) for part in foreign) and not any(map(_TESTS.fullmatch, parts[:-1]))


def _distance(root: str, folder: str) -> tuple[int, int]:
    """(components that are not shared from the importer's side, those from the root's side); smaller is nearer."""
    ours, theirs = (folder.split("/") if folder else []), (root.split("/") if root else [])
    shared = 0
    for left, right in zip(ours, theirs, strict=False):
        if left != right:
            break
        shared += 1
    return len(ours) - shared, len(theirs) - shared


def _contains(root: str, folder: str) -> bool:
    return not root or folder == root or folder.startswith(root + "/")


def read_layout(tree: Tree, files: Iterable[str]) -> PythonLayout:
    """Find packages and roots; O(files + folders × depth)."""
    python_files = frozenset(files)
    names: defaultdict[str, list[str]] = defaultdict(list)
    for path in python_files:
        folder, _, name = path.rpartition("/")
        names[folder].append(name)
    folders: set[str] = set()
    for folder in names:
        while folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    packages = {folder for folder, inside in names.items() if not _INITS.isdisjoint(inside)}
    declared = {root for root in _declared_roots(tree) if root in folders} | {""}
    roots = declared | _shown_roots(names, packages)
    return PythonLayout(
        python_files,
        frozenset(folders),
        frozenset(packages),
        frozenset(declared),
        _names_of(roots, names, folders),
    )


def _shown_roots(folders: Iterable[str], packages: set[str]) -> set[str]:
    """The parent of each outermost package, and each folder of scripts or tests outside of any package."""
    roots = {_outermost(package, packages).rpartition("/")[0] for package in packages if package}
    for folder in folders:
        if folder not in packages and not any(parent in packages for parent in parents_of(folder)):
            roots.add(folder)
    return roots


def _outermost(package: str, packages: set[str]) -> str:
    while package and (parent := package.rpartition("/")[0]) in packages and parent != package and parent:
        package = parent
    return package


def _names_of(
    roots: set[str], files: Mapping[str, Sequence[str]], folders: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    names: defaultdict[str, set[str]] = defaultdict(set)
    for root in roots:
        for name in files.get(root, ()):
            names[name.partition(".")[0]].add(root)
    for folder in folders:
        parent, _, name = folder.rpartition("/")
        if folder and parent in roots:
            names[name].add(parent)
    return {name: tuple(sorted(found)) for name, found in names.items()}


def _declared_roots(tree: Tree) -> Iterator[str]:
    for path in sorted(path for path in tree.paths if path.endswith(_PROJECT_FILES)):
        folder, _, name = path.rpartition("/")
        if name not in _PROJECT_FILES or "node_modules/" in path:
            continue
        yield folder
        yield _join(folder, "src")
        for root in _READERS[name](tree.read(path)):
            yield _join(folder, root)


def _join(folder: str, relative: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, relative.strip("/")))
    return "" if joined in (".", "/") else joined


def _roots_in_pyproject(source: bytes) -> Iterator[str]:
    try:
        tool = tomllib.loads(source.decode("utf-8", "replace")).get("tool", {})
    except tomllib.TOMLDecodeError:
        return
    yield from _strings(_dig(tool, "setuptools", "packages", "find", "where"))
    yield from _strings(_dig(tool, "setuptools", "package-dir"))
    yield from (
        posixpath.dirname(item) for item in _strings(_dig(tool, "hatch", "build", "targets", "wheel", "packages"))
    )
    yield from _strings(_dig(tool, "hatch", "build", "targets", "wheel", "sources"))
    yield from _strings(_dig(tool, "uv", "build-backend", "module-root"))
    yield from _strings(_dig(tool, "pdm", "build", "package-dir"))
    yield from _strings(_dig(tool, "pytest", "ini_options", "pythonpath"))
    yield from _strings(_dig(tool, "mypy", "mypy_path"))
    poetry = _dig(tool, "poetry", "packages")
    for item in poetry if isinstance(poetry, list) else []:
        yield from _strings(_dig(item, "from"))


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from re.split(r"[,:\s]+", value.strip()) if value.strip() else ()
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))
    elif isinstance(value, dict):
        yield from (item for key, item in value.items() if isinstance(item, str) and key in ("", "*"))
        yield from (key for key, item in value.items() if item == "")


def _roots_in_setup_cfg(source: bytes) -> Iterator[str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(source.decode("utf-8", "replace"))
    except configparser.Error:
        return
    yield from _strings(parser.get("options.packages.find", "where", fallback=""))
    yield from _strings(parser.get("tool:pytest", "pythonpath", fallback=""))
    for line in parser.get("options", "package_dir", fallback="").splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.strip():
            yield value.strip()


@cache
def _package_dir_pattern() -> re.Pattern[str]:
    return re.compile(
        r"""package_dir\s*=\s*(?:\{|dict\()\s*(?:["']{2}\s*:)?\s*["']([^"']+)["']"""
        r"""|where\s*=\s*\[?["']([^"']+)["']"""
    )


def _roots_in_setup_py(source: bytes) -> Iterator[str]:
    for match in _package_dir_pattern().finditer(source.decode("utf-8", "replace")):
        yield match.group(1) or match.group(2)


_READERS: dict[str, Callable[[bytes], Iterator[str]]] = {
    "pyproject.toml": _roots_in_pyproject,
    "setup.cfg": _roots_in_setup_cfg,
    "setup.py": _roots_in_setup_py,
}
