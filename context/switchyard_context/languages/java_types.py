"""Finding Java's types: by package and name, by dotted path, by what a file can see, and through supertypes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from switchyard_context.facts import FileFacts
from switchyard_context.languages.asking import Memo
from switchyard_context.languages.contract import Tree
from switchyard_context.languages.java import OWN_SCOPE
from switchyard_context.languages.java_builds import JavaBuilds
from switchyard_context.languages.java_lang import JAVA_LANG
from switchyard_context.languages.java_layout import JavaLayout

_FAR = 1_000_000
_KEPT = 2000


class JavaType(NamedTuple):
    """A declared type."""

    path: str
    name: str
    """Qualified by the types around it: `Outer.Inner`."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names in one file can mean."""

    package: str
    singles: Mapping[str, str]
    """Simple name → the dotted name that an import binds it to."""
    on_demand: Sequence[str]
    """Packages and types whose members are imported with `*`."""
    bases: Sequence[tuple[str, str]]
    """(supertype as written, the type declared here that has it)"""


@dataclass(slots=True)
class Found:
    """The types that a name may mean."""

    types: tuple[JavaType, ...] = ()
    is_open: bool = False
    """Whether the name may as well come from a library: a supertype or a package that is not in the tree."""


class JavaTypes:
    """The types of one tree."""

    def __init__(self, tree: Tree, facts: Mapping[str, FileFacts]) -> None:
        self._facts = facts
        self.layout = JavaLayout(tree, facts)
        self._builds = JavaBuilds(tree, self.layout.build_files)
        self._second = Memo(facts, self._find_second)
        self._scopes: dict[str, tuple[FileFacts, Scope]] = {}
        self._names: dict[str, tuple[FileFacts, frozenset[str]]] = {}

    # Scopes and names are kept for a while only: they are as large as the facts. The facts are asked for at every use,
    # so that whoever keeps account of that misses nothing.

    def scope_of(self, path: str) -> Scope:
        """What the imports and supertypes of a file make visible."""
        facts = self._facts_of(path)
        known = self._scopes.get(path)
        if known is None or known[0] is not facts:
            _make_room(self._scopes)
            known = self._scopes[path] = (facts, _read_scope(facts))
        return known[1]

    def _facts_of(self, path: str) -> FileFacts:
        return self._facts.get(path, _NOTHING)

    def has(self, declared: JavaType, member: str) -> bool:
        """Whether a type declares a member of that name itself."""
        facts = self._facts_of(declared.path)
        known = self._names.get(declared.path)
        if known is None or known[0] is not facts:
            _make_room(self._names)
            known = self._names[declared.path] = (facts, frozenset(item.name for item in facts.definitions))
        return f"{declared.name}.{member}" in known[1]

    def locate(self, parts: Sequence[str], importer: str) -> tuple[tuple[JavaType, ...], Sequence[str]]:
        """The types at a dotted path that starts with a package, and what of the path is left behind them."""
        for size in range(len(parts) - 1, 0, -1):
            package = ".".join(parts[:size])
            if self.layout.folders_of(package):
                found = self.find(package, parts[size], importer) or self.find_second(package, parts[size], importer)
                if found:
                    return found, parts[size + 1 :]
        return (), parts

    def find(self, package: str, name: str, importer: str) -> tuple[JavaType, ...]:
        """The type of a package in a file of its own name, as the importer sees it."""
        folder = importer.rpartition("/")[0]
        folders = self._folders_seen(package, folder)
        paths = [path for other in folders if (path := self.layout.folders[other].get(name))]
        return tuple(JavaType(path, name) for path in self._nearest(paths, folder))

    def _folders_seen(self, package: str, folder: str) -> Sequence[str]:
        """The folders of a package, the importer's own among them even where it lies out of order."""
        if not package:
            return self._unnamed(folder)
        folders = self.layout.folders_of(package)
        if folder in folders or self.layout.package_of(folder) != package:
            return folders
        return (*folders, folder)

    def _unnamed(self, folder: str) -> tuple[str, ...]:
        """The unnamed package reaches no further than a module."""
        place = self.layout.place_of(folder)
        if place.package != "":
            return (folder,)
        return tuple(other for other in self._roots_of(place.module) if other in self.layout.folders)

    def _roots_of(self, module: str) -> Iterator[str]:
        top = f"{module}/" if module else ""
        yield from (f"{top}src/{name}/java" for name in ("main", "test"))

    def find_second(self, package: str, name: str, importer: str) -> tuple[JavaType, ...]:
        """A type in a file of another name; the whole package is asked."""
        folder = importer.rpartition("/")[0]
        paths = [path for other in self._folders_seen(package, folder) for path in self._second(other).get(name, ())]
        return tuple(JavaType(path, name) for path in self._nearest(paths, folder))

    def _find_second(self, folder: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, path in self.layout.folders[folder].items():
            for item in self._facts_of(path).definitions:
                if item.kind in ("class", "type") and item.name != name and not item.depth:
                    found.setdefault(item.name, []).append(path)
        return found

    def _nearest(self, paths: Sequence[str], folder: str) -> list[str]:
        """Of files that declare one type: the own module's, then of what it depends on; all, where neither is so."""
        visible = [path for path in paths if self._sees(folder, path)]
        if len(visible) < 2:
            return visible
        place = self.layout.place_of(folder)
        distances = self._builds.distances(place.module)
        ranks = {path: self._rank(path, place.source_set, distances) for path in visible}
        best = min(ranks.values())
        return [path for path in visible if ranks[path] == best]

    def _sees(self, folder: str, path: str) -> bool:
        """A module's main sources are built before its tests; outside of `src/<set>/java` nobody knows which are."""
        place, other = self.layout.place_of(folder), self.layout.place_of(path.rpartition("/")[0])
        is_ahead = place.source_set == "main" and other.source_set == "test" and place.module == other.module
        return not is_ahead or place.package is None or other.package is None

    def _rank(self, path: str, source_set: str, distances: Mapping[str, int]) -> tuple[int, int]:
        place = self.layout.place_of(path.rpartition("/")[0])
        distance = distances.get(place.module, _FAR)
        order = (source_set,) if distance == 0 else ()
        sets = (*order, "main", "testFixtures")
        return distance, sets.index(place.source_set) if place.source_set in sets else len(sets)

    def look_up(self, path: str, name: str, *, is_type: bool = True, climbs: bool = True) -> Found:
        """What a simple name means in a file.

        Args:
            is_type: False for a name that may be a constant; then no file is opened for one that looks like it.
            climbs: False leaves out what only supertypes or files of other names would give.
        """
        scope = self.scope_of(path)
        if name in scope.singles:
            return Found(self.resolve(path, scope.singles[name].split("."), climbs=climbs))
        found = self.find(scope.package, name, path)
        if found:
            return Found(found)
        opened = False
        for module in scope.on_demand:
            found, is_known = self._on_demand(module, name, path, climbs=climbs)
            if found:
                return Found(found)
            opened = opened or not is_known
        if name in JAVA_LANG or not climbs or (not is_type and name.isupper()):
            return Found()
        inherited = self.inherited(path, None, name)
        if inherited.types:
            return inherited
        packages = (scope.package, *scope.on_demand)
        second = next((types for package in packages if (types := self.find_second(package, name, path))), ())
        return Found(second, opened or inherited.is_open)

    def _on_demand(self, module: str, name: str, importer: str, *, climbs: bool) -> tuple[tuple[JavaType, ...], bool]:
        """(the types that `import module.*` gives a name, whether the tree knows all that it may give)"""
        if self.layout.folders_of(module):
            return self.find(module, name, importer), True
        owners = self.resolve(importer, module.split("."), climbs=False)
        members = [self.member(owner, name, climbs=climbs) for owner in owners]
        types = tuple(item for found in members for item in found.types)
        return types, bool(owners) and not any(found.is_open for found in members)

    def resolve(
        self, path: str, parts: Sequence[str], *, heir: str | None = None, climbs: bool = True
    ) -> tuple[JavaType, ...]:
        """The types that a dotted name means in a file; () unless all of it is found.

        Args:
            heir: The type in whose header the name stands: what that type declares itself is not seen there.
        """
        types = self._declared_here(path, parts[0], heir)
        rest = parts[1:]
        if not types and len(parts) > 1 and parts[0][:1].islower():
            types, rest = self.locate(parts, path)
        elif not types:
            types = self.look_up(path, parts[0], climbs=climbs).types
        for part in rest:
            types = tuple(item for owner in types for item in self.member(owner, part, climbs=climbs).types)
        return types

    def declares(self, path: str, name: str, heir: str) -> bool:
        """Whether a file declares a type of that simple name where the header of a type sees it."""
        return bool(self._declared_here(path, name, heir))

    def _declared_here(self, path: str, name: str, heir: str | None) -> tuple[JavaType, ...]:
        suffix = "." + name
        names = (item.name for item in self._facts_of(path).definitions if item.kind in ("class", "type"))
        own = None if heir is None else heir + suffix
        return tuple(
            JavaType(path, other) for other in names if (other == name or other.endswith(suffix)) and other != own
        )[:1]

    def member(self, owner: JavaType, name: str, *, climbs: bool = True) -> Found:
        """A member of a type, in it or in the supertype that declares it."""
        if self.has(owner, name):
            return Found((JavaType(owner.path, f"{owner.name}.{name}"),))
        return self.inherited(owner.path, owner.name, name) if climbs else Found()

    def inherited(self, path: str, owner: str | None, name: str) -> Found:
        """A member from the supertypes of one type, or of all types in a file."""
        return self._climb(path, owner, name, set())

    def _climb(self, path: str, owner: str | None, name: str, seen: set[tuple[str, str | None]]) -> Found:
        if (path, owner) in seen:
            return Found()
        seen.add((path, owner))
        opened = False
        for written, heir in self.scope_of(path).bases:
            if owner is not None and heir != owner:
                continue
            # What a supertype is named must not hang on what supertypes give: that would go in circles.
            bases = self.resolve(path, written.split("."), heir=heir, climbs=False)
            opened = opened or (not bases and written not in JAVA_LANG)
            for base in bases:
                if self.has(base, name):
                    return Found((JavaType(base.path, f"{base.name}.{name}"),))
                further = self._climb(base.path, base.name, name, seen)
                if further.types:
                    return further
                opened = opened or further.is_open
        return Found((), opened)


_NOTHING = FileFacts()


def _make_room(kept: dict[str, Any]) -> None:
    if len(kept) >= _KEPT:
        kept.clear()


def _read_scope(facts: FileFacts) -> Scope:
    singles: dict[str, str] = {}
    on_demand: list[str] = []
    bases: list[tuple[str, str]] = []
    for item in facts.imports:
        if item.module == OWN_SCOPE:
            bases.extend(item.names if item.is_public else ())
            continue
        for name, _ in item.names:
            if name == "*":
                on_demand.append(item.module)
            else:
                singles[name] = f"{item.module}.{name}"
    return Scope(facts.package, singles, on_demand, bases)


def paths_of(types: Iterable[JavaType]) -> Iterator[str]:
    """The files of some types, each once."""
    return iter(dict.fromkeys(item.path for item in types))
