"""Why a file is near: the shortest chain of imports, in either direction, from the files that a task is about."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from switchyard_context.graph import ImportGraph


class Chains:
    """Shortest chains from some files to all in reach; found once, written out when asked for."""

    def __init__(self, graph: ImportGraph, starts: Iterable[str]) -> None:
        self._graph = graph
        self._came: dict[int, tuple[int, str]] = {graph.id_of(path): (-1, "") for path in starts}
        queue = deque(self._came)
        while queue:
            node = queue.popleft()
            for others, arrow in ((graph.forward.of(node), "→"), (graph.backward.of(node), "←")):
                for other in others:
                    if other not in self._came:
                        self._came[other] = (node, arrow)
                        queue.append(other)

    def to(self, path: str) -> str:
        """`a → b ← c` from a start to the path: a imports b, c imports b too; empty if nothing links them."""
        node = self._graph.id_of(path)
        if node not in self._came:
            return ""
        parts: list[str] = []
        while node >= 0:
            name = self._graph.files[node]
            node, arrow = self._came[node]
            parts.append(f"{arrow} {name}" if arrow else name)
        return " ".join(reversed(parts))
