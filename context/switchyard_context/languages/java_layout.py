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
from switchyard_context.languages.asking import Memo
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
        self._certain: dict[str, tuple[str, ...]] = {}
        """What the paths alone say of a package, which is most: nobody needs to note it."""
        self._folders_of = Memo(facts, self._find_folders)
        self._clause_of = Memo(facts, self._find_clause)

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
        found = self._certain.get(package)
        return found if found is not None else self._folders_of(package)

    def _find_folders(self, package: str) -> tuple[str, ...]:
        suffix = package.replace(".", "/")
        candidates = self._by_tail.get(suffix.rpartition("/")[2], ()) if package else ()
        near = [folder for folder in candidates if folder == suffix or folder.endswith("/" + suffix)]
        found = tuple(folder for folder in near if self.package_of(folder) == package)
        if all(self.place_of(folder).package is not None for folder in near):
            self._certain[package] = found
        return found

    def package_of(self, folder: str) -> str:
        """The package of the sources in a folder."""
        package = self.place_of(folder).package
        return self._clause_of(folder) if package is None else package

    def _find_clause(self, folder: str) -> str:
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
