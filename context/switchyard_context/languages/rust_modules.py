"""Rust's modules: what each file and inline module holds, which file a `mod` declares, and who declares a file."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from switchyard_context.facts import DefinitionKind, FileFacts, Import
from switchyard_context.languages.asking import Memo
from switchyard_context.languages.contract import Tree
from switchyard_context.languages.rust_crates import Packages

_VALUE_KINDS = ("function", "constant", "method")
_MAX_INLINE_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Module:
    """A file's top (`scope` empty) or an inline module in it."""

    file: str
    scope: str = ""
    """The names of the inline modules around it, joined by dots."""

    def child(self, name: str) -> Module:
        return Module(self.file, f"{self.scope}.{name}" if self.scope else name)


@dataclass(slots=True)
class Scope:
    """What one module holds by itself."""

    types: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    inner: set[str] = field(default_factory=set)
    """Inline modules."""
    declared: dict[str, list[Import]] = field(default_factory=dict)
    """`mod x;`"""
    bound: dict[str, list[tuple[Import, str]]] = field(default_factory=dict)
    """Name → the `use` that binds it, and the name there."""
    globs: list[Import] = field(default_factory=list)


@dataclass(frozen=True)
class FileModules:
    """The modules that one file holds."""

    scopes: dict[str, Scope]
    _spans: tuple[tuple[int, int, str], ...]

    def scope_at(self, line: int) -> str:
        return next((name for first, last, name in self._spans if first <= line <= last), "")


class ModuleTree:
    """Asks for the facts of those files only that a question leads to."""

    def __init__(self, tree: Tree, facts: Mapping[str, FileFacts]) -> None:
        self.packages = Packages(tree)
        self._facts = facts
        self._links = tree.links
        self.view = Memo(facts, self._read_view)
        self.parents = Memo(facts, self._find_parents)
        """The modules that declare a file; none for the first file of a crate."""
        self.roots = Memo(facts, self._find_roots)
        """The first files of the crates that a file is part of."""
        self.ancestors = Memo(facts, self._find_ancestors)
        """A file and all that declare it, directly or not."""
        self._declarers = Memo(facts, self._find_declarers)
        self._is_root: dict[str, bool] = {}
        self._in_folder: dict[str, list[str]] = {}
        for path in facts:
            self._in_folder.setdefault(path.rpartition("/")[0], []).append(path)

    def find(self, path: str) -> str | None:
        """The file at a path, through a symbolic link too."""
        real = self._links.get(path, path)
        return real if real in self._facts else None

    def _read_view(self, path: str) -> FileModules:
        return _read_modules(self._facts.get(path, FileFacts()))

    def scope(self, module: Module) -> Scope:
        return self.view(module.file).scopes.get(module.scope) or Scope()

    def is_root(self, path: str) -> bool:
        if path not in self._is_root:
            package = self.packages.of(path)
            self._is_root[path] = package.is_root(path) if package else path.endswith(("/lib.rs", "/main.rs"))
        return self._is_root[path]

    def declared_files(self, module: Module, item: Import) -> list[str]:
        """The files that a `mod x;` may mean; several where `#[cfg_attr(…, path = …)]` leaves a choice."""
        name, _, written = item.module.removeprefix("mod ").partition(" = ")
        inner = module.scope.split(".") if module.scope else []
        found: list[str | None] = []
        for path in written.split(" | ") if written else ():
            bases = self._folders_of(module.file) if inner else [posixpath.dirname(module.file)]
            found += [self.find(_join(base, *inner, path.strip('"'))) for base in bases[:1]]
        for base in self._folders_of(module.file):
            usual = (_join(base, *inner, f"{name}.rs"), _join(base, *inner, name, "mod.rs"))
            file = next(filter(None, map(self.find, usual)), None)
            if file is not None:
                found.append(file)
                break
        return list(dict.fromkeys(path for path in found if path is not None))

    def _find_parents(self, path: str) -> tuple[Module, ...]:
        found = [owner for owner in self._owners(path) if self._declares(owner, path)]
        if not found and not self.is_root(path):
            package = self.packages.of(path)
            found = self._declarers(package.folder).get(path, []) if package is not None else []
        # What nobody declares a macro may: `automod::dir!("tests")`.
        if not found and not self.is_root(path):
            found = [owner for owner in self._owners(path) if not owner.scope and self._is_above(owner.file, path)]
        return tuple(dict.fromkeys(found))

    def _is_above(self, owner: str, path: str) -> bool:
        base = path.removesuffix("/mod.rs").rpartition("/")[0]
        return base == self._folders_of(owner)[0] and posixpath.basename(owner) in ("lib.rs", "main.rs", "mod.rs")

    def outer(self, module: Module) -> tuple[Module, ...]:
        """What `super` means."""
        if module.scope:
            return (Module(module.file, module.scope.rpartition(".")[0]),)
        return self.parents(module.file)

    def _find_roots(self, path: str) -> tuple[str, ...]:
        return tuple(above for above in self.ancestors(path) if self._begins_crate(above))

    def _find_ancestors(self, path: str) -> tuple[str, ...]:
        found = {path: None}
        queue = [path]
        while queue:
            for parent in self.parents(queue.pop()):
                if parent.file not in found:
                    found[parent.file] = None
                    queue.append(parent.file)
        return tuple(found)

    def _begins_crate(self, path: str) -> bool:
        return not self.parents(path) or self.is_root(path)

    def _declares(self, owner: Module, path: str) -> bool:
        declared = self.scope(owner).declared.values()
        return any(path in self.declared_files(owner, item) for items in declared for item in items)

    def _folders_of(self, path: str) -> list[str]:
        """Where a file's modules lie: beside a crate's first file and `mod.rs`, else in a folder of its own name.

        A file that `#[path]` names counts as a `mod.rs`, hence the second place.
        """
        folder, _, name = path.rpartition("/")
        own = path.removesuffix(".rs")
        if name == "mod.rs" or self.is_root(path):
            return [folder]
        return [own, folder]

    def _owners(self, path: str) -> Iterator[Module]:
        """Modules that could declare a file by the place where it lies."""
        folder, _, name = path.rpartition("/")
        if name == "mod.rs":
            folder = folder.rpartition("/")[0]
        inner: list[str] = []
        for _ in range(_MAX_INLINE_DEPTH):
            scope = ".".join(reversed(inner))
            for file in self._files_over(folder):
                if file != path and (not scope or scope in self.view(file).scopes):
                    yield Module(file, scope)
            folder, _, last = folder.rpartition("/")
            inner.append(last)
            if not folder:
                return

    def _files_over(self, folder: str) -> Iterator[str]:
        """The files whose modules lie in a folder."""
        for path in (f"{folder}.rs", _join(folder, "mod.rs")):
            if path in self._facts:
                yield path
        for path in self._in_folder.get(folder, ()):
            if not path.endswith("/mod.rs") and self.is_root(path):
                yield path

    def _find_declarers(self, folder: str) -> dict[str, list[Module]]:
        """File → who declares it, by a walk over a whole package: `#[path]` may name a file from anywhere."""
        found: dict[str, list[Module]] = {}
        prefix = f"{folder}/" if folder else ""
        queue = [path for path in self._facts if path.startswith(prefix) and self._begins_in(folder, path)]
        seen = set(queue)
        while queue:
            file = queue.pop()
            for scope, held in self.view(file).scopes.items():
                owner = Module(file, scope)
                for item in (item for items in held.declared.values() for item in items):
                    for path in self.declared_files(owner, item):
                        found.setdefault(path, []).append(owner)
                        if path not in seen:
                            seen.add(path)
                            queue.append(path)
        return found

    def _begins_in(self, folder: str, path: str) -> bool:
        package = self.packages.of(f"{folder}/Cargo.toml" if folder else "Cargo.toml")
        return package is not None and package.is_root(path)


def _read_modules(facts: FileFacts) -> FileModules:
    inner = [item for item in facts.definitions if item.kind == "module"]
    scopes = {"": Scope(), **{item.name: Scope() for item in inner}}
    for item in facts.definitions:
        outer, _, name = item.name.rpartition(".")
        if outer in scopes:
            held = scopes[outer]
            (held.inner if item.kind == "module" else held.values if item.kind in _VALUE_KINDS else held.types).add(
                name
            )
    spans = sorted(((item.first_line, item.last_line, item.name) for item in inner), key=lambda span: -len(span[2]))
    view = FileModules(scopes, tuple(spans))
    for found in facts.imports:
        _bind(scopes[view.scope_at(found.line)], found)
    return view


def _names_of(held: Scope, kind: DefinitionKind) -> set[str]:
    if kind == "module":
        return held.inner
    return held.values if kind in _VALUE_KINDS else held.types


def _bind(held: Scope, item: Import) -> None:
    for name, bound in item.names:
        if item.module.startswith("mod "):
            if name == "self":
                held.declared.setdefault(bound, []).append(item)
        elif name == "*":
            held.globs.append(item)
        elif bound:
            held.bound.setdefault(bound, []).append((item, name))


def _join(*parts: str) -> str:
    joined = posixpath.normpath(posixpath.join(*parts))
    return "" if joined == "." else joined
