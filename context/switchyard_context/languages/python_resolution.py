"""Python's imports turned into files: packages with and without `__init__.py`, several roots, re-exports followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from switchyard_context.facts import FileFacts, Import
from switchyard_context.languages.asking import Memo
from switchyard_context.languages.contract import Resolution, Targets, Tree
from switchyard_context.languages.python_roots import STANDARD_LIBRARY, PythonLayout, read_layout

_INIT_NAMES = ("__init__.py", "__init__.pyi")
_MODULE_SUFFIXES = (".py", ".pyi", ".pyw")


@dataclass(frozen=True, slots=True)
class _Module:
    """What a dotted name stands for: a file, a folder whose modules can be imported from it, or both."""

    file: str | None
    folder: str | None


class PythonResolver:
    """Resolves what Python files import within one tree."""

    def __init__(self, tree: Tree, facts: Mapping[str, FileFacts]) -> None:
        self._facts = facts
        self._links = tree.links
        self._layout: PythonLayout = read_layout(tree, facts)
        self._located: dict[tuple[str, str], _Module | None] = {}
        self._definers = Memo(facts, self._search_definers)

    def resolve(self, importer: str, item: Import) -> Resolution:
        targets = Targets()
        module = self._locate(importer, item.module)
        if module is None:
            if self._looks_local(importer, item.module):
                targets.miss(item.module)
            return targets.finish()
        names = [name for name, _ in item.names if name]
        if not names:
            if module.file:
                targets.add(module.file, item.kind)
            return targets.finish()
        for name in names:
            self._add_name(targets, module, name, item)
        return targets.finish()

    def _add_name(self, targets: Targets, module: _Module, name: str, item: Import) -> None:
        inner = self._in_folder(module.folder, name) if name != "*" else None
        if inner is not None:
            if inner.file:
                targets.add(inner.file, item.kind)
        elif module.file:
            targets.add(module.file, item.kind)
            if module.file.endswith(_INIT_NAMES):
                for path in self._find_definers(module.file, name):
                    targets.add(path, "reexport")
                if self._has_nothing(module.file, name):
                    targets.miss(_join(item.module, name))
        elif name != "*":
            targets.miss(_join(item.module, name))

    def _has_nothing(self, init: str, name: str) -> bool:
        """Whether a package can't have a name: what binds names in ways that facts don't tell is always believed."""
        facts = self._facts.get(init, FileFacts(problem="not here"))
        is_bare = not (facts.imports or facts.definitions or facts.problem)
        return is_bare and name != "*" and not name.startswith("__")

    def _locate(self, importer: str, module: str) -> _Module | None:
        key = (importer if module.startswith(".") else importer.rpartition("/")[0], module)
        if key not in self._located:
            found = self._relative(importer, module) if module.startswith(".") else self._absolute(importer, module)
            self._located[key] = found
        return self._located[key]

    def _relative(self, importer: str, module: str) -> _Module | None:
        name = module.lstrip(".")
        folder = importer.rpartition("/")[0]
        for _ in range(len(module) - len(name) - 1):
            if not folder:
                return None
            folder = folder.rpartition("/")[0]
        return self._walk(folder, name.split(".") if name else [])

    def _absolute(self, importer: str, module: str) -> _Module | None:
        parts = module.split(".")
        for root in self._layout.roots_for(parts[0], importer):
            found = self._walk(root, parts)
            # A folder without `__init__.py` never hides a standard module.
            if found is not None and (found.file or parts[0] not in STANDARD_LIBRARY):
                return found
        # A script's own folder comes first on sys.path; inside a namespace package it is only a last resort.
        folder = importer.rpartition("/")[0]
        if parts[0] in STANDARD_LIBRARY or folder in self._layout.packages:
            return None
        found = self._walk(folder, parts)
        return found if found is not None and found.file else None

    def _walk(self, folder: str, parts: list[str]) -> _Module | None:
        if not parts:
            init = self._first(f"{folder}/{name}" if folder else name for name in _INIT_NAMES)
            return _Module(init, folder)
        for part in parts[:-1]:
            folder = f"{folder}/{part}" if folder else part
            if folder not in self._layout.folders:
                return None
        return self._in_folder(folder, parts[-1])

    def _in_folder(self, folder: str | None, name: str) -> _Module | None:
        if folder is None:
            return None
        path = f"{folder}/{name}" if folder else name
        if path in self._layout.packages:
            return _Module(self._first(f"{path}/{init}" for init in _INIT_NAMES), path)
        file = self._first(path + suffix for suffix in _MODULE_SUFFIXES)
        if file is not None:
            return _Module(file, None)
        return _Module(None, path) if path in self._layout.folders else None

    def _first(self, candidates: Iterator[str]) -> str | None:
        real = (self._links.get(path, path) for path in candidates)
        return next((path for path in real if path in self._layout.files), None)

    def _looks_local(self, importer: str, module: str) -> bool:
        """Whether an import that leads nowhere was meant for this tree: its beginning is here.

        A bare namespace folder proves little (`google`, `docs`): two of its levels must match.
        """
        if module.startswith("."):
            return True
        parts = module.split(".")
        if parts[0] in STANDARD_LIBRARY:
            return False
        for root in self._layout.roots_for(parts[0], importer):
            first = self._in_folder(root, parts[0])
            if first is None:
                continue
            if first.file or (
                len(parts) > 1 and self._in_folder(first.folder, parts[1]) is not None and len(parts) > 2
            ):
                return True
        return False

    def _find_definers(self, path: str, name: str) -> tuple[str, ...]:
        """The files that define what `path` hands on under `name`; none if it defines it itself or nobody knows."""
        return self._definers((path, name))

    def _search_definers(self, place: tuple[str, str]) -> tuple[str, ...]:
        found = dict.fromkeys(self._follow(*place, set()))
        found.pop(place[0], None)
        return tuple(found)

    def _follow(self, path: str, name: str, seen: set[tuple[str, str]]) -> Iterator[str]:
        if (path, name) in seen or name == "*":
            return
        seen.add((path, name))
        facts = self._facts.get(path, FileFacts())
        if any(definition.name == name for definition in facts.definitions):
            yield path
        for item in facts.imports:
            if not item.is_public:
                continue
            for original, bound in item.names:
                if bound == name or original == "*":
                    yield from self._follow_import(
                        path, item, name if original == "*" else original, original == "*", seen
                    )

    def _follow_import(
        self, path: str, item: Import, name: str, is_star: bool, seen: set[tuple[str, str]]
    ) -> Iterator[str]:
        module = self._locate(path, item.module)
        if module is None:
            return
        inner = self._in_folder(module.folder, name) if name and not is_star else module if not name else None
        if inner is not None:
            if inner.file:
                yield inner.file
        elif module.file:
            further = list(self._follow(module.file, name, seen))
            yield from further if further or is_star else [module.file]


def _join(module: str, name: str) -> str:
    return module + ("" if module.endswith(".") else ".") + name
