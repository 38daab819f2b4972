"""The import graph of one tree: arrays inside, questions outside, networkx where somebody wants to ask their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from switchyard_context.errors import UnknownPath
from switchyard_context.facts import EDGE_KINDS, EdgeKind, FileFacts
from switchyard_context.languages import language_of
from switchyard_context.naming import near_names
from switchyard_context.tree_state import TreeState

if TYPE_CHECKING:
    import networkx

SCHEMA = "switchyard.graph/1"

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Edge:
    """One file imports another; `line` is the first that does so in this way."""

    importer: str
    imported: str
    line: int
    kind: EdgeKind
    """`type`: gone at run time. `dynamic`: a literal name at run time. `reexport`: written as one, or reached through
    one, so that a name's user and its definition are one step apart."""

    def as_json(self) -> dict[str, Any]:
        """As `switchyard.graph/1` writes an edge."""
        return {"importer": self.importer, "imported": self.imported, "line": self.line, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An import that looks local and leads to no file."""

    path: str
    line: int
    imported: str
    """As written."""

    def as_json(self) -> dict[str, Any]:
        """As `switchyard.graph/1` and `switchyard.context/1` write it."""
        return {"path": self.path, "line": self.line, "import": self.imported}


@dataclass(frozen=True)
class Neighbours:
    """Compressed rows: the neighbours of node i are `targets[starts[i]:starts[i + 1]]`."""

    starts: npt.NDArray[np.int64]
    targets: Ids
    edges: npt.NDArray[np.int64]

    def of(self, node: int) -> list[int]:
        return [int(other) for other in self.targets[self.starts[node] : self.starts[node + 1]]]

    def edges_of(self, node: int) -> list[int]:
        return [int(edge) for edge in self.edges[self.starts[node] : self.starts[node + 1]]]


class ImportGraph:
    """Files and who imports whom, importer → imported. Paths are written from the top of the repository."""

    def __init__(self, revision: str, facts: Mapping[str, FileFacts], state: TreeState) -> None:
        self.revision = revision
        self.facts = facts
        """Path → facts; each is decoded when it is asked for."""
        self.unresolved = [Unresolved(*item) for item in state.unresolved]
        self.files: list[str] = state.files
        self.importers_ids: Ids = state.edges.importers
        self.imported_ids: Ids = state.edges.imported
        self._lines: Ids = state.edges.lines
        self._kinds = state.edges.kinds

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {path: position for position, path in enumerate(self.files)}

    def __contains__(self, path: object) -> bool:
        return path in self._ids

    def id_of(self, path: str) -> int:
        """The node of a path.

        Raises:
            UnknownPath: The graph has no such file.
        """
        if path not in self._ids:
            raise UnknownPath(path, near=near_names(path, self.files), kind="source file")
        return self._ids[path]

    def edges(self) -> list[Edge]:
        """All edges, by importer, then line."""
        return [self._edge(index) for index in range(len(self._lines))]

    def imports_of(self, path: str) -> list[Edge]:
        """What a file imports, in the order of its lines."""
        return [self._edge(index) for index in self.forward.edges_of(self.id_of(path))]

    def importers_of(self, path: str) -> list[Edge]:
        """Who imports a file."""
        return [self._edge(index) for index in self.backward.edges_of(self.id_of(path))]

    def closure(self, paths: Iterable[str], hops: int | None = None) -> set[str]:
        """What the paths need within so many steps, themselves included; paths the graph has not are passed over."""
        return set(self.distances(paths, hops))

    def dependents(self, paths: Iterable[str], hops: int | None = None) -> set[str]:
        """What needs the paths within so many steps, themselves included; paths the graph has not are passed over."""
        return set(self.distances(paths, hops, reverse=True))

    def distances(self, paths: Iterable[str], hops: int | None = None, *, reverse: bool = False) -> dict[str, int]:
        """The steps from the paths to each file in reach, along imports or against them; O(files + edges)."""
        neighbours = self.backward if reverse else self.forward
        distance = {self._ids[path]: 0 for path in paths if path in self._ids}
        queue = deque(distance)
        while queue:
            node = queue.popleft()
            if hops is not None and distance[node] >= hops:
                continue
            for other in neighbours.of(node):
                if other not in distance:
                    distance[other] = distance[node] + 1
                    queue.append(other)
        return {self.files[node]: steps for node, steps in distance.items()}

    def impact(self, paths: Iterable[str]) -> list[str]:
        """The files that a change of the paths may break, the nearest first, the paths themselves left out."""
        reached = self.distances(paths, reverse=True)
        return sorted((path for path, hops in reached.items() if hops), key=lambda path: (reached[path], path))

    def tests_covering(self, paths: Iterable[str], hops: int | None = None) -> list[str]:
        """The test files that reach the paths through imports, the nearest and the most alike in name first."""
        wanted = list(paths)
        reached = self.distances(wanted, hops, reverse=True)
        tests = [path for path in reached if is_test(path)]
        return sorted(tests, key=lambda path: (not names_test_of(path, wanted), reached[path], path))

    def why(self, importer: str, imported: str) -> list[Edge] | None:
        """A shortest chain of imports from one file to another; None if there is none, empty for a file and itself."""
        chain = self.why_any(importer, (imported,))
        return chain if chain or importer == imported else None

    def why_any(self, importer: str, imported: Iterable[str]) -> list[Edge]:
        """A shortest chain of imports from a file to whichever of the others is nearest; empty if there is none."""
        goals = {self.id_of(path) for path in imported}
        start = self.id_of(importer)
        came: dict[int, int] = {start: -1}
        queue = deque([start])
        while queue:
            node = queue.popleft()
            if node in goals:
                return self._chain_to(node, came)
            for edge in self.forward.edges_of(node):
                other = int(self.imported_ids[edge])
                if other not in came:
                    came[other] = edge
                    queue.append(other)
        return []

    def _chain_to(self, node: int, came: Mapping[int, int]) -> list[Edge]:
        chain: list[Edge] = []
        while came[node] >= 0:
            chain.append(self._edge(came[node]))
            node = int(self.importers_ids[came[node]])
        return chain[::-1]

    def as_json(self) -> dict[str, Any]:
        """The document `switchyard.graph/1`."""
        return {
            "schema": SCHEMA,
            "revision": self.revision,
            "files": self.files,
            "edges": [edge.as_json() for edge in self.edges()],
            "unresolved": [item.as_json() for item in self.unresolved],
        }

    def to_networkx(self) -> networkx.MultiDiGraph[str]:
        """The same graph for networkx: nodes are paths, edges carry `line` and `kind`."""
        import networkx

        graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph(revision=self.revision)
        graph.add_nodes_from(self.files)
        graph.add_edges_from((e.importer, e.imported, {"line": e.line, "kind": e.kind}) for e in self.edges())
        return graph

    def _edge(self, index: int) -> Edge:
        return Edge(
            self.files[self.importers_ids[index]],
            self.files[self.imported_ids[index]],
            int(self._lines[index]),
            EDGE_KINDS[self._kinds[index]],
        )

    @cached_property
    def forward(self) -> Neighbours:
        return self._rows(self.importers_ids, self.imported_ids)

    @cached_property
    def backward(self) -> Neighbours:
        return self._rows(self.imported_ids, self.importers_ids)

    def _rows(self, sources: Ids, targets: Ids) -> Neighbours:
        order = np.argsort(sources, kind="stable")
        starts = np.searchsorted(sources[order], np.arange(len(self.files) + 1))
        return Neighbours(starts, targets[order], order)


def is_test(path: str) -> bool:
    """Whether a file holds tests, by the naming rules of its language."""
    language = language_of(path)
    return language is not None and language.is_test(path)


def names_test_of(test: str, paths: Iterable[str]) -> bool:
    """Whether a test is named after one of the paths: `test_api.py` or `api.test.ts` for `api`."""
    stem = test.rpartition("/")[2].partition(".")[0]
    subject = stem.removeprefix("test_").removesuffix("_test").removesuffix("_tests")
    return any(path.rpartition("/")[2].partition(".")[0] == subject for path in paths if path != test)
