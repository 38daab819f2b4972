"""TypeScript's and JavaScript's imports turned into files: aliases, workspaces, unbuilt packages, barrels followed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from switchyard_context.facts import FileFacts, Import
from switchyard_context.languages.asking import Memo
from switchyard_context.languages.contract import Resolution, Targets, Tree
from switchyard_context.languages.node_files import NodeFiles, join
from switchyard_context.languages.node_packages import NodePackage, NodePackages

_ALIAS_PREFIXES = ("~/", "@/", "#")
# Bundlers turn these into values; they are no modules of the graph and no mistakes either.
_ASSETS = re.compile(
    r"\.(css|s[ac]ss|less|styl|pcss|svg|png|jpe?g|gif|webp|avif|ico|bmp|woff2?|ttf|otf|eot|mp[34]|webm|wav|ogg|pdf"
    r"|json[5c]?|ya?ml|toml|txt|mdx?|html|xml|csv|wasm|node|graphql|gql|glsl|vert|frag|proto|sql|vue|svelte|astro|hbs"
    r"|ejs|prisma|snap)$",
    re.IGNORECASE,
)


class TypeScriptResolver:
    """Resolves what TypeScript and JavaScript files import within one tree."""

    def __init__(self, tree: Tree, facts: Mapping[str, FileFacts]) -> None:
        self._facts = facts
        self._files = NodeFiles(facts.keys(), tree.links)
        self._packages = NodePackages(tree, self._files)
        self._configs = self._packages.configs
        self._found: dict[tuple[str, str], str | None] = {}
        self._definers = Memo(facts, self._search_definers)

    def resolve(self, importer: str, item: Import) -> Resolution:
        targets = Targets()
        if not item.module:
            return targets.finish()
        path = self._find(importer, item.module)
        if path is None:
            if self._looks_local(importer, item.module):
                targets.miss(item.module)
            return targets.finish()
        targets.add(path, item.kind)
        for name, _ in item.names if not item.is_public else ():
            for definer in self._find_definers(path, name):
                targets.add(definer, "reexport")
        return targets.finish()

    def _find(self, importer: str, specifier: str) -> str | None:
        # Whether a config holds a file is the file's own affair; relative paths mean the same in all of a folder.
        is_shared = _is_relative(specifier)
        key = (importer.rpartition("/")[0] if is_shared else importer, specifier)
        if key not in self._found:
            self._found[key] = self._search(importer, specifier)
        return self._found[key]

    def _search(self, importer: str, specifier: str) -> str | None:
        bare = specifier.partition("?")[0]
        if _is_relative(bare):
            return self._beside(importer, bare)
        if bare.startswith("#"):
            found = self._in_own_imports(importer, bare)
            if found:
                return found
        for config in self._configs.of(importer):
            for candidate in config.candidates(bare):
                found = self._at(candidate) or self._unbuilt(candidate)
                if found:
                    return found
        return self._in_workspace(importer, bare)

    def _beside(self, importer: str, relative: str) -> str | None:
        path = join(posixpath.dirname(importer), relative)
        if path is None:
            return None
        found = self._at(path, wants_folder=relative.endswith(("/", ".")))
        if found:
            return found
        for config in self._configs.of(importer):
            for twin in config.twins(path):
                found = self._at(twin)
                if found:
                    return found
        return self._unbuilt(path)

    def _unbuilt(self, path: str) -> str | None:
        package = self._packages.nearest(path)
        return self._packages.unbuilt(package, path) if package is not None else None

    def _at(self, path: str, *, wants_folder: bool = False) -> str | None:
        """A file, a folder with its own manifest, or a folder with an index."""
        file = None if wants_folder else self._files.find_file(path)
        if file:
            return file
        package = self._packages.at(path)
        if package is not None:
            found = self._exported(package, "")
            if found:
                return found
        return self._files.find_index(path)

    def _in_own_imports(self, importer: str, specifier: str) -> str | None:
        package = self._packages.nearest(importer)
        for target in package.imported(specifier) if package else ():
            is_own = target.startswith(("./", "../"))
            found = (
                self._packages.locate(package, target) if is_own and package else self._in_workspace(importer, target)
            )
            if found:
                return found
        return None

    def _in_workspace(self, importer: str, specifier: str) -> str | None:
        found = self._packages.find(specifier, importer)
        return self._exported(*found) if found else None

    def _exported(self, package: NodePackage, subpath: str) -> str | None:
        for relative in package.exported(subpath):
            found = self._packages.locate(package, relative)
            if found:
                return found
        if not subpath:
            return self._packages.entry(package)
        # A manifest without `exports` lets any file be named, wherever the build puts it.
        return None if "exports" in package.data else self._packages.locate(package, f"dist/{subpath}")

    def _looks_local(self, importer: str, specifier: str) -> bool:
        bare = specifier.partition("?")[0]
        if _ASSETS.search(bare) or specifier != bare:
            return False
        if _is_relative(bare) or bare.startswith(_ALIAS_PREFIXES):
            return True
        if any(config.is_alias(bare) for config in self._configs.of(importer)):
            return True
        return self._packages.find(bare, importer) is not None

    def _find_definers(self, path: str, name: str) -> tuple[str, ...]:
        """The files behind a barrel that define `name`; none if `path` defines it itself or nobody knows."""
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
                if bound == name:
                    yield from self._follow_export(path, item, original, seen)
                elif bound == "*" and name != "default":
                    target = self._find(path, item.module)
                    yield from self._follow(target, name, seen) if target else ()

    def _follow_export(self, path: str, item: Import, name: str, seen: set[tuple[str, str]]) -> Iterator[str]:
        if not item.module:
            yield from self._follow_binding(path, name, seen)
            return
        target = self._find(path, item.module)
        if target is not None:
            yield from list(self._follow(target, name, seen)) or [target]

    def _follow_binding(self, path: str, name: str, seen: set[tuple[str, str]]) -> Iterator[str]:
        """`import { a } from "./a"; export { a }`."""
        for item in self._facts.get(path, FileFacts()).imports:
            for original, bound in item.names:
                if bound == name and item.module:
                    target = self._find(path, item.module)
                    if target is not None:
                        yield from list(self._follow(target, original, seen)) or [target]


def _is_relative(specifier: str) -> bool:
    return specifier in (".", "..") or specifier.startswith(("./", "../"))
