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


@dataclass(frozen=True, slots=True)
class _Outlook:
    """What decides where the imports of one folder's files lead."""

    home: _Module | None
    workspace: _Module | None
    roots: tuple[str, ...]
    """The folders above that hold packages by their whole path: `vendor`, and `src` of a GOPATH."""


class GoLayout:
    """The folders and modules of one tree."""

    def __init__(self, tree: Tree) -> None:
        self.files: dict[str, list[str]] = {}
        """Folder → its Go files, symbolic links among them."""
        configs: list[str] = []
        for path in (*tree.paths, *tree.links):
            if path.endswith(".go"):
                self.files.setdefault(path.rpartition("/")[0], []).append(path)
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
        known = [path for _, found in read for path in (found.path, *found.replaces)]
        self._first_elements = {path.partition("/")[0] for path in known}
        self._roots = self._find_roots()
        self._outlooks: dict[str, _Outlook] = {}
        self._places: dict[tuple[str, str], Place] = {}

    def _find_roots(self) -> frozenset[str]:
        found: set[str] = set()
        for folder in self.files:
            for parent in parents_of(folder):
                name = parent.rpartition("/")[2]
                if name == "vendor" or (name == "src" and parent not in self._modules):
                    found.add(parent)
        return frozenset(found)

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
        outlook = self._outlook_of(importer)
        for root in outlook.roots:
            if (copy := _join(root, path)) in self.files:
                return Place(copy)
        if path.partition("/")[0] in self._first_elements:
            place = self._in_modules(importer, path, outlook)
            if not place.is_foreign:
                return place
        if "std" in self._by_path and "." not in path.partition("/")[0]:
            # The standard library's own repository: its module is `std`, which no import path begins with.
            for module in self._by_path["std"]:
                if _join(module.folder, path) in self.files:
                    return Place(_join(module.folder, path))
        return _FOREIGN

    def _outlook_of(self, importer: str) -> _Outlook:
        if importer not in self._outlooks:
            parents = (importer, *parents_of(importer))
            module = self._folder_of_module(importer)
            self._outlooks[importer] = _Outlook(
                None if module is None else self._modules[module],
                next((self._workspaces[parent] for parent in parents if parent in self._workspaces), None),
                tuple(
                    root
                    for parent in parents
                    for root in (_join(parent, "vendor"), parent)
                    if root in self._roots and (root != parent or root.rpartition("/")[2] == "src")
                ),
            )
        return self._outlooks[importer]

    def _in_modules(self, importer: str, path: str, outlook: _Outlook) -> Place:
        is_foreign = True
        for prefix in (path, *parents_of(path)):
            if not prefix:
                break
            folders = self._folders_of(prefix, importer, outlook)
            for folder in folders:
                target = _join(folder, path[len(prefix) + 1 :])
                if target in self.files and self._folder_of_module(target) == folder:
                    return Place(target)
            if folders:
                is_foreign = False
            elif outlook.home is not None and prefix in outlook.home.requires:
                break
        return Place(None, is_foreign)

    def _folders_of(self, prefix: str, importer: str, outlook: _Outlook) -> list[str]:
        """The folders that a module path stands for, as seen from one that imports it, the first to be tried first."""
        configs = [config for config in (outlook.workspace, outlook.home) if config is not None]
        replaced = [config.replaces[prefix] for config in configs if prefix in config.replaces]
        candidates = self._by_path.get(prefix, [])
        used = outlook.workspace.uses if outlook.workspace is not None else ()
        if "." not in prefix.partition("/")[0]:
            # `module test` somewhere says nothing about an `import "test"` elsewhere.
            candidates = [module for module in candidates if module is outlook.home or module.folder in used]
        if len(candidates) > 1:
            candidates = sorted(
                candidates,
                key=lambda module: (
                    module is not outlook.home,
                    module.folder not in used,
                    -_shared_depth(module.folder, importer),
                    module.folder,
                ),
            )
        return replaced + [module.folder for module in candidates]

    def _folder_of_module(self, folder: str) -> str | None:
        return next((parent for parent in (folder, *parents_of(folder)) if parent in self._modules), None)


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
