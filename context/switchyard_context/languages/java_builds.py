"""Which modules of a Maven or Gradle build depend on which others, as far as their build files say it plainly."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence

from switchyard_context.languages.contract import Tree

_XML_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_XML_NOT_OWN = re.compile(r"<(parent|dependencies|dependencyManagement|build|profiles|reporting)\b.*?</\1>", re.DOTALL)
_ARTIFACT = re.compile(r"<artifactId>\s*([^<\s]+)\s*</artifactId>")
_XML_NOT_INHERITED = re.compile(r"<(dependencyManagement|build|reporting)\b.*?</\1>", re.DOTALL)
_XML_REFERENCE = re.compile(r"<(?:dependency|parent)>.*?</(?:dependency|parent)>", re.DOTALL)
_GRADLE_PROJECT = re.compile(r"""\bproject\s*\(?\s*(?:path\s*[:=]\s*)?["']:([^"']+)["']""")
_GRADLE_ACCESSOR = re.compile(r"\bprojects\.([A-Za-z_][\w.]*)")


class JavaBuilds:
    """Dependencies between the modules of one tree, each build file read when it is first asked about."""

    def __init__(self, tree: Tree, build_files: Mapping[str, Sequence[str]]) -> None:
        self._tree = tree
        self._build_files = build_files
        self._distances: dict[str, dict[str, int]] = {}
        self._artifacts: dict[str, str] | None = None
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        for folder in sorted(build_files):
            self._by_name[_plain(folder.rpartition("/")[2])].append(folder)

    def distances(self, module: str) -> Mapping[str, int]:
        """Module → steps along dependencies, for all that a module can see; itself is 0 away."""
        if module not in self._distances:
            self._distances[module] = self._walk(module)
        return self._distances[module]

    def _walk(self, module: str) -> dict[str, int]:
        distance = {module: 0}
        queue = deque([module])
        while queue:
            current = queue.popleft()
            for other in self._dependencies(current):
                if other not in distance:
                    distance[other] = distance[current] + 1
                    queue.append(other)
        return distance

    def _dependencies(self, module: str) -> Iterator[str]:
        for path in self._build_files.get(module, ()):
            text = self._tree.read(path).decode("utf-8", "replace")
            yield from self._maven(text) if path.endswith(".xml") else self._gradle(text, module)

    def _maven(self, text: str) -> Iterator[str]:
        """What a module names, and its parent, whose dependencies it inherits."""
        bare = _XML_NOT_INHERITED.sub("", _XML_COMMENT.sub("", text))
        for block in _XML_REFERENCE.findall(bare):
            artifact = _ARTIFACT.search(block)
            folder = self._folder_of_artifact(artifact.group(1)) if artifact else None
            if folder is not None:
                yield folder

    def _folder_of_artifact(self, artifact: str) -> str | None:
        if self._artifacts is None:
            self._artifacts = {}
            for folder, paths in sorted(self._build_files.items()):
                for path in paths:
                    if path.endswith(".xml"):
                        text = _XML_COMMENT.sub("", self._tree.read(path).decode("utf-8", "replace"))
                        own = _ARTIFACT.search(_XML_NOT_OWN.sub("", text))
                        self._artifacts.setdefault(own.group(1) if own else "", folder)
        return self._artifacts.get(artifact)

    def _gradle(self, text: str, module: str) -> Iterator[str]:
        for match in _GRADLE_PROJECT.finditer(text):
            yield from self._folder_of_project(match.group(1).split(":"), module)
        for match in _GRADLE_ACCESSOR.finditer(text):
            yield from self._folder_of_project(match.group(1).split("."), module)

    def _folder_of_project(self, parts: list[str], module: str) -> Iterator[str]:
        """The folder named like the project; of several, the one whose path goes on with the importer's longest."""
        folders = self._by_name.get(_plain(parts[-1]), [])
        if folders:
            yield max(folders, key=lambda folder: (_tail_size(folder, parts), _shared(folder, module)))


def _plain(name: str) -> str:
    """`data-store`, `data_store` and the accessor `dataStore` are one."""
    return re.sub(r"[-_.]", "", name).lower()


def _tail_size(folder: str, parts: Sequence[str]) -> int:
    names = folder.split("/")
    size = 0
    for name, part in zip(reversed(names), reversed(parts), strict=False):
        if _plain(name) != _plain(part):
            break
        size += 1
    return size


def _shared(folder: str, other: str) -> int:
    count = 0
    for mine, others in zip(folder.split("/"), other.split("/"), strict=False):
        if mine != others:
            break
        count += 1
    return count
