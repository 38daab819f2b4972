"""Go's imports turned into files: of the package that a path leads to, those that define the names used.

- A name that several files define, each for another platform, leads to all of them: build constraints are kept as
  attributes and leave nothing out.
- `import _` runs a package for its `init` functions: the files that have one, else the first file of the package.
- The Import of `OWN_PACKAGE` leads to the files of the same package; files that aren't tests never see tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from switchyard_context.facts import FileFacts, Import
from switchyard_context.languages import go
from switchyard_context.languages.asking import Memo
from switchyard_context.languages.contract import Resolution, Targets, Tree
from switchyard_context.languages.go_modules import GoLayout
from switchyard_context.languages.table import is_go_test


@dataclass(slots=True)
class _Package:
    """The files of one folder with one package clause."""

    name: str
    files: list[str] = field(default_factory=list)
    """Without tests."""
    definers: dict[str, list[str]] = field(default_factory=dict)
    test_definers: dict[str, list[str]] = field(default_factory=dict)
    is_whole: bool = True
    """Whether every file of the folder could be read, so that what isn't found isn't there."""

    def add(self, path: str, facts: FileFacts, *, is_test: bool) -> None:
        definers = self.test_definers if is_test else self.definers
        if not is_test:
            self.files.append(path)
        for definition in facts.definitions:
            paths = definers.setdefault(definition.name, [])
            if not paths or paths[-1] != path:
                paths.append(path)

    def find(self, name: str, *, with_tests: bool) -> list[str]:
        found = self.definers.get(name, [])
        return found + self.test_definers.get(name, []) if with_tests else found


class GoResolver:
    """Resolves what Go files import within one tree."""

    def __init__(self, tree: Tree, facts: Mapping[str, FileFacts]) -> None:
        self._facts = facts
        self._links = tree.links
        self._layout = GoLayout(tree)
        self._packages = Memo(facts, self._read_packages)

    def resolve(self, importer: str, item: Import) -> Resolution:
        targets = Targets()
        if item.module == go.OWN_PACKAGE:
            self._add_own(targets, importer, item)
            return targets.finish()
        place = self._layout.locate(importer, item.module)
        packages = [] if place.folder is None else self._importable(place.folder)
        if packages:
            with_tests = self._sees_tests(importer, place.folder)
            self._add_names(targets, packages, item, with_tests=with_tests)
        elif not place.is_foreign:
            targets.miss(item.module)
        return targets.finish()

    def _add_own(self, targets: Targets, importer: str, item: Import) -> None:
        package = self._packages(importer.rpartition("/")[0]).get(self._facts[importer].package)
        if package is None:
            return
        for name, bound in item.names:
            found = package.find(name, with_tests=is_go_test(importer))
            for path in found:
                targets.add(path, item.kind)
            if not found and bound and package.is_whole and name not in go.PREDECLARED:
                targets.miss(name)

    def _add_names(self, targets: Targets, packages: list[_Package], item: Import, *, with_tests: bool) -> None:
        if item.names == (("init", "_"),):
            for path in _initialised(packages):
                targets.add(path, item.kind)
            return
        for name, bound in _used_of(item.names, {package.name for package in packages}):
            found = [path for package in packages for path in package.find(name, with_tests=with_tests)]
            for path in found:
                targets.add(path, item.kind)
            # A name as bound as itself comes by a dot import, and may as well be the importer's own.
            if not found and bound != name and all(package.is_whole for package in packages):
                targets.miss(f"{item.module}.{name}")

    def _sees_tests(self, importer: str, folder: str | None) -> bool:
        """A package's tests may hand its inner parts to the tests outside it: `export_test.go`."""
        return is_go_test(importer) and importer.rpartition("/")[0] == folder

    def _importable(self, folder: str) -> list[_Package]:
        """The package that a folder's path means; a program beside a library is there to be run."""
        packages = [package for package in self._packages(folder).values() if package.files]
        libraries = [package for package in packages if package.name not in ("main", "documentation")]
        return libraries or packages

    def _read_packages(self, folder: str) -> dict[str, _Package]:
        packages: dict[str, _Package] = {}
        is_whole = True
        for path in self._layout.files.get(folder, ()):
            file = self._links.get(path, path)
            facts = self._facts.get(file, FileFacts())
            is_whole = is_whole and not facts.problem
            if facts.package:
                package = packages.setdefault(facts.package, _Package(facts.package))
                package.add(file, facts, is_test=is_go_test(path))
        for package in packages.values():
            package.is_whole = is_whole
        return packages


def _initialised(packages: Iterable[_Package]) -> list[str]:
    return [path for package in packages for path in package.definers.get("init") or package.files[:1]]


def _used_of(names: tuple[tuple[str, str], ...], packages: set[str]) -> list[tuple[str, str]]:
    """Of (name, qualifier) those that are this package's: by its own name, else by the one alias there is."""
    own = [(name, bound) for name, bound in names if bound in packages]
    if own or len({bound for _, bound in names}) <= 1 or all(name == bound for name, bound in names):
        return own or list(names)
    return []
