"""Java's imports, and the names it uses without any, turned into files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from switchyard_context.facts import FileFacts, Import
from switchyard_context.languages import java
from switchyard_context.languages.contract import Resolution, Targets, Tree
from switchyard_context.languages.java_lang import JAVA_LANG
from switchyard_context.languages.java_types import JavaTypes, paths_of

_PLATFORM = frozenset({"java", "jdk", "sun"})


class JavaResolver:
    """Resolves what Java files import and name within one tree.

    An explicit import leads to the file that declares the type; an import of `*` to none, since the names that come
    through it are resolved one by one. A static import of an inherited member has a second edge, `reexport`, to the
    supertype that declares it.
    """

    def __init__(self, tree: Tree, facts: Mapping[str, FileFacts]) -> None:
        self._types = JavaTypes(tree, facts)

    def resolve(self, importer: str, item: Import) -> Resolution:
        targets = Targets()
        for name, bound in item.names:
            if item.module == java.OWN_SCOPE:
                self._add_used(targets, importer, name, bound, item)
            elif name == "*":
                self._add_on_demand(targets, importer, item)
            else:
                self._add_imported(targets, importer, name, item)
        targets.found.pop((importer, "import"), None)
        return targets.finish()

    def _add_imported(self, targets: Targets, importer: str, name: str, item: Import) -> None:
        parts = (*item.module.split("."), name)
        types, rest = self._types.locate(parts, importer)
        for path in paths_of(types):
            targets.add(path, item.kind)
        if not types:
            self._miss(targets, importer, parts)
        elif len(rest) == 1 and not any(self._types.has(owner, name) for owner in types):
            for owner in types:
                for path in paths_of(self._types.inherited(owner.path, owner.name, name).types):
                    targets.add(path, "reexport")

    def _add_on_demand(self, targets: Targets, importer: str, item: Import) -> None:
        if self._types.layout.folders_of(item.module):
            return
        parts = item.module.split(".")
        types, _ = self._types.locate(parts, importer)
        for path in paths_of(types):
            targets.add(path, item.kind)
        if not types:
            self._miss(targets, importer, (*parts, "*"))

    def _add_used(self, targets: Targets, importer: str, name: str, bound: str, item: Import) -> None:
        parts, is_type = name.split("."), bool(bound) or item.is_public
        if item.is_public and self._types.declares(importer, parts[0], bound):
            return
        if len(parts) > 1 and name[:1].islower():
            types, _ = self._types.locate(parts, importer)
            if not types and is_type:
                self._miss(targets, importer, parts)
        else:
            found = self._types.look_up(importer, parts[0], is_type=is_type)
            types = found.types
            if not types and is_type and not found.is_open:
                self._miss_simple(targets, importer, parts[0])
        if types and len(parts) > 1:
            types = (*types, *self._types.resolve(importer, parts))
        for path in paths_of(types):
            targets.add(path, item.kind)

    def _miss(self, targets: Targets, importer: str, parts: Sequence[str]) -> None:
        """A dotted name leads nowhere: it was meant for this tree if the tree has its package, or one above that."""
        layout = self._types.layout
        packages = [".".join(parts[:size]) for size in range(len(parts) - 1, 0, -1)]
        local = [name for name in packages if layout.folders_of(name) and (name == packages[0] or "." in name)]
        if not local or parts[0] in _PLATFORM:
            return
        if not any(layout.may_be_foreign(parts[-1], folder) for folder in layout.folders_of(local[0])):
            targets.miss(".".join(parts))

    def _miss_simple(self, targets: Targets, importer: str, name: str) -> None:
        """A simple name that no import and no library can explain was meant for the file's own package."""
        scope = self._types.scope_of(importer)
        is_known = name in JAVA_LANG or name in scope.singles
        if is_known or not name[:1].isupper():
            return
        if not self._types.layout.may_be_foreign(name, importer.rpartition("/")[0]):
            targets.miss(name)
