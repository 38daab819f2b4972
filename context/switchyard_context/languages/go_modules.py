"""Where Go import paths lead within a tree: modules, workspaces, `replace`, vendored packages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import normpath

from switchyard_context.languages.contract import Tree, parents_of


@dataclass(frozen=True, slots=True)
class _Module:
    """One `go.mod`, or one `go.work`, whose path is empty."""

    folder: str
    path: str
    requires: frozenset[str] = frozenset()
    replaces: dict[str, str] = field(default_factory=dict)
    """Module path → the folder of this tree that stands for it."""
    uses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an import path leads: a folder of the tree, or none; what is none and not foreign is missed."""

    folder: str | None
    is_foreign: bool = False


_FOREIGN = Place(None, is_foreign=True)


class GoLayout:
    """The folders and modules of one tree."""

    def __init__(self, tree: Tree) -> None:
        self.files: dict[str, list[str]] = {}
        """Folder → its Go files, symbolic links among them."""
        configs: list[str] = []
        self._has_vendored = False
        for path in (*tree.paths, *tree.links):
            if path.endswith(".go"):
                self.files.setdefault(path.rpartition("/")[0], []).append(path)
                self._has_vendored = self._has_vendored or "vendor/" in path or "src/" in path
            elif path.endswith(("go.mod", "go.work")):
                configs.append(path)
        for files in self.files.values():
            files.sort()
        read = [(path, _read_config(tree, path)) for path in sorted(configs)]
        self._modules = {found.folder: found for path, found in read if path.endswith("go.mod") and found.path}
        self._workspaces = {found.folder: found for path, found in read if path.endswith("go.work")}
        self._by_path: dict[str, list[_Module]] = {}
        for module in self._modules.values():
            self._by_path.setdefault(module.path, []).append(module)
        self._places: dict[tuple[str, str], Place] = {}

    def locate(self, importer: str, path: str) -> Place:
        """Where `path` leads from a file."""
        folder = importer.rpartition("/")[0]
        key = (folder, path)
        if key not in self._places:
            self._places[key] = self._locate(folder, path)
        return self._places[key]

    def _locate(self, importer: str, path: str) -> Place:
        if path == "C":
            return _FOREIGN
        if path.startswith(("./", "../")):
            beside = _join(importer, path)
            return Place(beside if beside in self.files else None)
        if self._has_vendored and (copy := self._vendored(importer, path)) is not None:
            return Place(copy)
        place = self._in_modules(importer, path)
        if place.is_foreign and "." not in path.partition("/")[0]:
            # The standard library's own repository: its module is `std`, which no import path begins with.
            for module in self._by_path.get("std", ()):
                if _join(module.folder, path) in self.files:
                    return Place(_join(module.folder, path))
        return place

    def _vendored(self, importer: str, path: str) -> str | None:
        """A copy beneath a `vendor` folder above the importer, or a package of the GOPATH that it lies in."""
        for parent in (importer, *parents_of(importer)):
            if (copy := _join(parent, f"vendor/{path}")) in self.files:
                return copy
            if parent.rpartition("/")[2] == "src" and parent not in self._modules:
                beside = _join(parent, path)
                if beside in self.files:
                    return beside
        return None

    def _in_modules(self, importer: str, path: str) -> Place:
        home = self._home_of(importer)
        is_foreign = True
        for prefix in (path, *parents_of(path)):
            if not prefix:
                break
            folders = list(self._folders_of(prefix, importer, home))
            for folder in folders:
                target = _join(folder, path[len(prefix) + 1 :])
                if target in self.files and self._folder_of_module(target) == folder:
                    return Place(target)
            if folders:
                is_foreign = False
            elif home is not None and prefix in home.requires:
                break
        return Place(None, is_foreign)

    def _folders_of(self, prefix: str, importer: str, home: _Module | None) -> Iterator[str]:
        """The folders that a module path stands for, as seen from one that imports it, the first to be tried first."""
        workspace = self._workspace_of(importer)
        for config in (workspace, home):
            if config is not None and prefix in config.replaces:
                yield config.replaces[prefix]
        candidates = self._by_path.get(prefix, [])
        used = workspace.uses if workspace is not None else ()
        if "." not in prefix.partition("/")[0]:
            # `module test` somewhere says nothing about an `import "test"` elsewhere.
            candidates = [module for module in candidates if module is home or module.folder in used]
        yield from (
            module.folder
            for module in sorted(
                candidates,
                key=lambda module: (
                    module is not home,
                    module.folder not in used,
                    -_shared_depth(module.folder, importer),
                    module.folder,
                ),
            )
        )

    def _home_of(self, folder: str) -> _Module | None:
        found = self._folder_of_module(folder)
        return None if found is None else self._modules[found]

    def _folder_of_module(self, folder: str) -> str | None:
        return next((parent for parent in (folder, *parents_of(folder)) if parent in self._modules), None)

    def _workspace_of(self, folder: str) -> _Module | None:
        return next(
            (self._workspaces[parent] for parent in (folder, *parents_of(folder)) if parent in self._workspaces), None
        )


def _shared_depth(one: str, other: str) -> int:
    """How many folders two paths have in common from the top."""
    depth = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        depth += 1
    return depth


def _join(folder: str, path: str) -> str:
    """A path beneath a folder of the tree; what leads out of the tree begins with `..` and is nowhere."""
    joined = normpath(f"{folder}/{path}" if folder else path or ".")
    return "" if joined == "." else joined


def _read_config(tree: Tree, path: str) -> _Module:
    folder = path.rpartition("/")[0]
    module = ""
    requires: set[str] = set()
    replaces: dict[str, str] = {}
    uses: list[str] = []
    for verb, words in _directives(tree.read(path).decode("utf-8", "replace")):
        if verb == "module":
            module = words[0]
        elif verb == "require":
            requires.add(words[0])
        elif verb == "use":
            uses.append(_join(folder, words[0]))
        elif verb == "replace" and "=>" in words[:-1]:
            target = words[words.index("=>") + 1]
            if target.startswith(("./", "../", ".\\", "..\\")) or target in (".", ".."):
                replaces[words[0]] = _join(folder, target.replace("\\", "/"))
    return _Module(folder, module, frozenset(requires), replaces, tuple(uses))


def _directives(text: str) -> Iterator[tuple[str, list[str]]]:
    """(verb, the words after it), those of a block one by one."""
    block = ""
    for line in text.splitlines():
        words = [word.strip('"`') for word in line.partition("//")[0].split()]
        if not words:
            continue
        if words[0] == ")":
            block = ""
        elif words[-1] == "(":
            block = words[0]
        elif block:
            yield block, words
        elif len(words) > 1:
            yield words[0], words[1:]
