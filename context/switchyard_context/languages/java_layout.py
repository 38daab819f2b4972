"""Where Java's packages lie in a tree: folders by package, modules by build file, source sets by convention.

Everything is read off the paths. Only a folder outside of `src/<set>/java` is asked for the package clause of one of
its files, and only once somebody looks for a package that the folder may hold.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from switchyard_context.facts import FileFacts
from switchyard_context.languages.contract import Tree, parents_of

_CONVENTION = re.compile(r"((?:.*/)?)src/([^/]+)/java(?:/(.*))?")
_TEST_FOLDERS = frozenset({"test", "tests", "javatests"})
_FOREIGN_SUFFIXES = (".kt", ".scala", ".groovy")
_CLAUSES_ASKED = 3
BUILD_FILES = ("pom.xml", "build.gradle", "build.gradle.kts")


@dataclass(frozen=True, slots=True)
class Place:
    """What the path of a folder says of the sources in it."""

    module: str
    """The folder of the module that builds them."""
    source_set: str
    """`main`, `test`, or another name between `src/` and `/java`."""
    package: str | None
    """None where the path alone does not say it."""


class JavaLayout:
    """The Java sources of a tree by folder and by package."""

    def __init__(self, tree: Tree, facts: Mapping[str, FileFacts]) -> None:
        self._facts = facts
        self.folders: defaultdict[str, dict[str, str]] = defaultdict(dict)
        """Folder → name of a type → the file named after it."""
        self._foreign: set[str] = set()
        self.build_files: defaultdict[str, list[str]] = defaultdict(list)
        """Folder → its build files."""
        for path in sorted(tree.paths):
            self._place(path, path if path in facts else None)
        for link, path in sorted(tree.links.items()):
            self._place(link, path if path in facts else None)
        self._by_tail: defaultdict[str, list[str]] = defaultdict(list)
        for folder in self.folders:
            self._by_tail[folder.rpartition("/")[2]].append(folder)
        self._places: dict[str, Place] = {}
        self._candidates: dict[str, tuple[list[str], bool]] = {}

    def _place(self, path: str, source: str | None) -> None:
        folder, _, name = path.rpartition("/")
        if name.endswith(".java"):
            if source is not None:
                self.folders[folder][name[:-5]] = source
        elif name.endswith(_FOREIGN_SUFFIXES):
            self._foreign.update((name.rpartition(".")[0], folder))
        elif name in BUILD_FILES or _is_named_build(folder, name):
            self.build_files[folder].append(path)

    def folders_of(self, package: str) -> Sequence[str]:
        """The folders that hold a package, in the order of their paths."""
        if package not in self._candidates:
            self._candidates[package] = self._find_candidates(package)
        candidates, are_certain = self._candidates[package]
        if are_certain:
            return candidates
        # Clauses are asked for anew, so that whoever keeps account of what facts were asked misses nothing.
        return [folder for folder in candidates if self.package_of(folder) == package]

    def _find_candidates(self, package: str) -> tuple[list[str], bool]:
        suffix = package.replace(".", "/")
        found = []
        for folder in self._by_tail.get(suffix.rpartition("/")[2], ()) if package else ():
            if folder == suffix or folder.endswith("/" + suffix):
                said = self.place_of(folder).package
                if said is None or said == package:
                    found.append(folder)
        return found, all(self.place_of(folder).package is not None for folder in found)

    def package_of(self, folder: str) -> str:
        """The package of the sources in a folder."""
        package = self.place_of(folder).package
        if package is not None:
            return package
        paths = sorted(self.folders[folder].values())[:_CLAUSES_ASKED] if folder in self.folders else ()
        clauses = (self._facts[path].package for path in paths)
        return next((clause for clause in clauses if clause), "")

    def place_of(self, folder: str) -> Place:
        """The module and source set of a folder."""
        if folder not in self._places:
            self._places[folder] = self._find_place(folder)
        return self._places[folder]

    def _find_place(self, folder: str) -> Place:
        convention = _CONVENTION.fullmatch(folder)
        if convention is not None:
            module, source_set, inner = convention.groups()
            return Place(module.rstrip("/"), source_set, (inner or "").replace("/", "."))
        nearest = (parent for parent in (folder, *parents_of(folder)) if parent in self.build_files)
        is_test = not _TEST_FOLDERS.isdisjoint(folder.split("/"))
        return Place(next(nearest, ""), "test" if is_test else "main", None)

    def may_be_foreign(self, name: str, folder: str) -> bool:
        """Whether a type may be declared in Kotlin, Scala or Groovy, which nobody reads here."""
        return name in self._foreign or folder in self._foreign


def _is_named_build(folder: str, name: str) -> bool:
    """`core/core.gradle`: a habit of large Gradle builds."""
    stem, _, suffix = name.partition(".gradle")
    return suffix in ("", ".kts") and bool(stem) and name != stem and folder.rpartition("/")[2] == stem
