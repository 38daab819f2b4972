"""Rust's paths turned into files: modules and crates walked, re-exports and globs followed to the definition."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from switchyard_context.facts import FileFacts, Import
from switchyard_context.languages.asking import AskedFacts
from switchyard_context.languages.contract import Resolution, Targets, Tree
from switchyard_context.languages.rust_modules import Module, ModuleTree


@dataclass(frozen=True, slots=True)
class _Place:
    """What a name leads to."""

    module: Module
    """The module itself, or the one that holds the item."""
    is_module: bool
    home: Module | None
    """Where it is declared."""
    is_type: bool = True


@dataclass(frozen=True, slots=True)
class _End:
    """Where a path ends: the last module on the way, and what was found there."""

    last: Module | None
    place: _Place | None
    """None for what lies outside of the tree, or what a macro makes."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found under a name once, to be given again."""

    places: tuple[_Place, ...]
    hops: int
    """How many questions deep the search went."""
    group: int | None
    """Whose facts it rests on (see `AskedFacts`)."""


_MAX_HOPS = 50
_Key = tuple[Module, str, bool, bool]
"""A module, a name in it, and all that the answer may know of who asks: whether inside of it, and in its file."""


class RustResolver:
    """Resolves what Rust files import within one tree."""

    def __init__(self, tree: Tree, facts: Mapping[str, FileFacts]) -> None:
        self._modules = ModuleTree(tree, facts)
        self._asked = facts if isinstance(facts, AskedFacts) else AskedFacts(facts)
        self._answers: dict[_Key, _Answer] = {}
        self._cuts = 0
        self._depth = self._deepest = 0

    def resolve(self, importer: str, item: Import) -> Resolution:
        targets = Targets()
        here = Module(importer, self._modules.view(importer).scope_at(item.line))
        if item.module.startswith("mod "):
            files = self._modules.declared_files(here, item)
            for path in files:
                targets.add(path, item.kind)
            if not files:
                targets.miss(item.module.partition(" = ")[0])
        elif item.module.startswith('"'):
            self._include(targets, importer, item)
        elif not item.module:
            self._add_bare_names(targets, here, item)
        else:
            self._add_path(targets, here, item)
        return targets.finish()

    def _include(self, targets: Targets, importer: str, item: Import) -> None:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(importer), item.module.strip('"')))
        file = self._modules.find(path)
        if file is not None:
            targets.add(file, item.kind)
        else:
            targets.miss(item.module.strip('"'))

    def _add_path(self, targets: Targets, here: Module, item: Import) -> None:
        for name, _ in item.names:
            segments = _segments(item.module, name)
            ends = list(self._walk(here, segments, set()))
            for end in ends:
                self._add_end(targets, end, item)
            if not ends and self._is_local(here, segments):
                targets.miss(item.module)

    def _add_end(self, targets: Targets, end: _End, item: Import) -> None:
        place, last = end.place, end.last
        if place is None:
            if last is not None:
                targets.add(last.file, item.kind)
        elif last is None or place.home == last or place.home is None:
            targets.add(place.module.file, item.kind)
        else:
            targets.add(last.file, item.kind)
            if place.module.file != last.file:
                targets.add(place.module.file, "reexport")

    def _add_bare_names(self, targets: Targets, here: Module, item: Import) -> None:
        """Names that only a `use …::*` can have brought: the glob itself is an import of its own."""
        for glob in self._modules.scope(here).globs:
            for module in self._glob_modules(here, glob, set()):
                for name, _ in item.names:
                    for place in self._look_up(module, name, here, set()):
                        if place.module.file != module.file and not (place.is_module and place.home == module):
                            targets.add(place.module.file, "reexport")

    def _walk(self, here: Module, segments: list[str], seen: set[_Key]) -> Iterator[_End]:
        """Follow a path from a module; nothing where a module on the way can't be found."""
        starts, rest = self._start(here, segments, seen)
        frontier = [_End(None, place) for place in starts]
        for position, name in enumerate(rest):
            is_last = position == len(rest) - 1
            further: dict[_End, None] = {}
            for end in frontier:
                place = end.place
                if place is None or not place.is_module:
                    further[end] = None
                    continue
                found = self._look_up(place.module, name, here, seen)
                for inner in found:
                    if is_last or inner.is_module or inner.is_type:
                        further[_End(place.module, inner)] = None
                if not found and (is_last or self._is_opaque(place.module, name)):
                    further[_End(place.module, None)] = None
            frontier = list(further)
        yield from frontier

    def _start(self, here: Module, segments: list[str], seen: set[_Key]) -> tuple[list[_Place], list[str]]:
        """What a path's beginning means, and what is left of it."""
        head, rest = segments[0], segments[1:]
        if head == "crate":
            return [_whole(Module(root)) for root in self._modules.roots(here.file)], rest
        if head in ("self", "super"):
            modules = [here]
            while head in ("self", "super"):
                if head == "super":
                    modules = [outer for module in modules for outer in self._modules.outer(module)]
                if not rest or rest[0] not in ("self", "super"):
                    break
                head, rest = rest[0], rest[1:]
            return [_whole(module) for module in modules], rest
        if head == "":
            return self._crate(here, rest[0] if rest else ""), rest[1:]
        found = [
            place
            for place in self._look_up(here, head, here, seen)
            if place.is_module or place.is_type or len(segments) == 1
        ]
        if found or self._is_bound_elsewhere(here, head):
            return found, rest
        return self._crate(here, head) or self._old_style(here, head, seen), rest

    def _is_bound_elsewhere(self, here: Module, head: str) -> bool:
        """Whether a `use` binds the name to what lies outside of the tree, whatever crates are called."""
        bound = self._modules.scope(here).bound.get(head, ())
        return any(item.module.removeprefix("::").partition("::")[0] != head for item, _ in bound)

    def _crate(self, here: Module, name: str) -> list[_Place]:
        package = self._modules.packages.of(here.file)
        library = package and self._modules.packages.crate(package, name)
        if library:
            return [_whole(Module(library))]
        for root in self._modules.roots(here.file):
            for item, _ in self._modules.scope(Module(root)).bound.get(name, ()):
                original = item.module.removeprefix("::")
                if item.module.startswith("::") and original != name:
                    library = package and self._modules.packages.crate(package, original)
                    return [_whole(Module(library))] if library else []
                if item.module == "crate":
                    return [_whole(Module(root))]
        return []

    def _old_style(self, here: Module, head: str, seen: set[_Key]) -> list[_Place]:
        """In the 2015 edition a `use` begins at the crate's root."""
        package = self._modules.packages.of(here.file)
        if package is None or package.edition != "2015":
            return []
        roots = [Module(root) for root in self._modules.roots(here.file)]
        return [place for root in roots if root != here for place in self._look_up(root, head, here, seen)]

    def _look_up(self, module: Module, name: str, viewer: Module, seen: set[_Key]) -> tuple[_Place, ...]:
        """What a module offers under a name, seen from another; names written out hide those from globs.

        The answer must not hang on what was asked before: one that was cut short is not kept, and one that is kept is
        given only where the search for it would not be cut short.
        """
        key = (module, name, self._is_inside(viewer, module), viewer.file == module.file)
        known = self._answers.get(key)
        if known is None or self._depth + known.hops > _MAX_HOPS:
            if key in seen or self._depth >= _MAX_HOPS:
                self._cuts += 1
                return ()
            # Stays there: what has been searched once for this question holds nothing new for it.
            seen.add(key)
            known = self._search(module, name, viewer, seen, key)
        self._deepest = max(self._deepest, self._depth + known.hops)
        if known.group is not None:
            self._asked.ask(known.group)
        return known.places

    def _search(self, module: Module, name: str, viewer: Module, seen: set[_Key], key: _Key) -> _Answer:
        cuts, deepest = self._cuts, self._deepest
        self._depth += 1
        self._deepest = self._depth
        found, group = self._asked.note(lambda _: tuple(self._find(module, name, viewer, seen)), key)
        self._depth -= 1
        answer = _Answer(found, self._deepest - self._depth, group)
        self._deepest = deepest
        if cuts == self._cuts:
            self._answers[key] = answer
        return answer

    def _find(self, module: Module, name: str, viewer: Module, seen: set[_Key]) -> dict[_Place, None]:
        found = dict.fromkeys(self._held(module, name, viewer, seen))
        if not found:
            found = dict.fromkeys(self._from_globs(module, name, viewer, seen))
        if not found and not module.scope and module.file in self._modules.roots(module.file):
            found = dict.fromkeys(self._exported_macros(module, name))
        if not found and name not in self._modules.scope(module).bound:
            found = dict.fromkeys(self._undeclared(module, name))
        return found

    def _held(self, module: Module, name: str, viewer: Module, seen: set[_Key]) -> Iterator[_Place]:
        scope = self._modules.scope(module)
        if name in scope.inner:
            yield _Place(module.child(name), is_module=True, home=module)
        for item in scope.declared.get(name, ()):
            for path in self._modules.declared_files(module, item):
                yield _Place(Module(path), is_module=True, home=module)
        if name in scope.types or name in scope.values:
            yield _Place(module, is_module=False, home=module, is_type=name in scope.types)
        for item, original in scope.bound.get(name, ()):
            if self._is_visible(item, module, viewer):
                for end in self._walk(module, _segments(item.module, original), seen):
                    if end.place is not None:
                        yield end.place

    def _from_globs(self, module: Module, name: str, viewer: Module, seen: set[_Key]) -> Iterator[_Place]:
        for item in self._modules.scope(module).globs:
            if self._is_visible(item, module, viewer):
                for other in self._glob_modules(module, item, seen):
                    yield from self._look_up(other, name, module, seen)

    def _glob_modules(self, here: Module, item: Import, seen: set[_Key]) -> list[Module]:
        ends = self._walk(here, _segments(item.module, "self"), seen)
        return [end.place.module for end in ends if end.place is not None and end.place.is_module]

    def _is_visible(self, item: Import, module: Module, viewer: Module) -> bool:
        if not item.is_public:
            return viewer.file == module.file
        return item.kind == "reexport" or self._is_inside(viewer, module)

    def _is_inside(self, viewer: Module, module: Module) -> bool:
        if viewer.file == module.file:
            return not module.scope or f"{viewer.scope}.".startswith(f"{module.scope}.")
        return not module.scope and module.file in self._modules.ancestors(viewer.file)

    def _undeclared(self, module: Module, name: str) -> Iterator[_Place]:
        """A file that lies where a module of this name would: a macro may declare it."""
        for path in self._modules.declared_files(module, Import(0, f"mod {name}", (), "import")):
            if path != module.file and module in self._modules.parents(path):
                yield _Place(Module(path), is_module=True, home=module)

    def _exported_macros(self, root: Module, name: str) -> Iterator[_Place]:
        """`#[macro_export]` puts a macro at the root wherever it stands; looked for where macros are kept."""
        queue = [root]
        seen = {root}
        while queue:
            module = queue.pop()
            scope = self._modules.scope(module)
            if module != root and name in scope.values:
                yield _Place(module, is_module=False, home=module)
            for item in (item for items in scope.declared.values() for item in items):
                if module != root or "macro" in item.module or ("macro_use", "") in item.names:
                    inner = {Module(path) for path in self._modules.declared_files(module, item)} - seen
                    seen |= inner
                    queue.extend(inner)

    def _is_opaque(self, module: Module, name: str) -> bool:
        """Whether a name may come from outside of the tree, where nobody can look."""
        scope = self._modules.scope(module)
        if name in scope.bound:
            return True
        return any(not self._glob_modules(module, item, set()) for item in scope.globs)

    def _is_local(self, here: Module, segments: list[str]) -> bool:
        """Whether a path that leads nowhere was meant for this tree: its beginning is here."""
        starts, _ = self._start(here, segments, set())
        return segments[0] in ("crate", "self", "super") or bool(starts)


def _whole(module: Module) -> _Place:
    return _Place(module, is_module=True, home=None)


def _segments(module: str, name: str) -> list[str]:
    segments = module.split("::")
    return segments if name in ("self", "*") else [*segments, name]
