"""The order of tasks: what depends on what, checked once, then asked in many ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from switchyard_merge.errors import CyclicPlan, UnknownDependency

if TYPE_CHECKING:
    import networkx as nx

    TaskGraph = nx.DiGraph[str]

SortKey = Callable[[str], Any]
"""What orders tasks that could run at the same time, such as (priority, id)."""


@dataclass(frozen=True)
class Plan:
    """Tasks without a circle; edges run from a task to those that wait for it."""

    order: tuple[str, ...]
    """Every task after all that it depends on; the sort key decides among equals."""
    _graph: TaskGraph
    _parents: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, depends_on: Mapping[str, Iterable[str]], *, key: SortKey = str) -> Self:
        """Check the dependencies and put the tasks in order, the same order every time.

        Raises:
            UnknownDependency: A task depends on one that is not a key of `depends_on`.
            CyclicPlan: Tasks depend on one another in a circle.
        """
        # networkx is imported where it is used: it would cost every command an eighth of a second.
        import networkx as nx

        wanted = {task: sorted(set(names)) for task, names in depends_on.items()}
        missing = {task: [name for name in names if name not in wanted] for task, names in wanted.items()}
        if any(missing.values()):
            raise UnknownDependency({task: names for task, names in missing.items() if names})
        graph: TaskGraph = nx.DiGraph()
        graph.add_nodes_from(sorted(wanted))
        graph.add_edges_from((name, task) for task, names in sorted(wanted.items()) for name in names)
        _refuse_cycle(graph)
        order = tuple(nx.lexicographical_topological_sort(graph, key=key))
        return cls(order, graph, _reduced_parents(order, wanted))

    def generations(self) -> list[list[str]]:
        """Tasks in waves, each wave waiting only for those before it."""
        import networkx as nx

        return [self._sorted(wave) for wave in nx.topological_generations(self._graph)]

    def parents(self, task: str) -> list[str]:
        """What the task is stacked on: its dependencies without those that another of them already holds."""
        return list(self._parents[task])

    def children(self, task: str) -> list[str]:
        """The tasks that are stacked directly on it."""
        return [child for child in self._sorted(self._graph.successors(task)) if task in self._parents[child]]

    def ancestors(self, task: str) -> list[str]:
        """Everything the task waits for, however far."""
        import networkx as nx

        return self._sorted(nx.ancestors(self._graph, task))

    def descendants(self, task: str) -> list[str]:
        """Everything that waits for the task, however far."""
        import networkx as nx

        return self._sorted(nx.descendants(self._graph, task))

    def roots(self) -> list[str]:
        """The tasks that wait for nothing."""
        return [task for task in self.order if not self._graph.in_degree(task)]

    def _sorted(self, tasks: Iterable[str]) -> list[str]:
        chosen = set(tasks)
        return [task for task in self.order if task in chosen]


def _reduced_parents(order: Sequence[str], wanted: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """The transitive reduction; ancestors are bits of a number, which makes thousands of tasks a matter of moments."""
    position = {task: index for index, task in enumerate(order)}
    ancestors: dict[str, int] = {}
    parents: dict[str, tuple[str, ...]] = {}
    for task in order:
        direct = sorted(wanted[task], key=position.__getitem__)
        held = 0
        for name in direct:
            held |= ancestors[name]
        parents[task] = tuple(name for name in direct if not held >> position[name] & 1)
        ancestors[task] = held | sum(1 << position[name] for name in parents[task])
    return parents


def _refuse_cycle(graph: TaskGraph) -> None:
    import networkx as nx

    try:
        edges = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return
    # Edges run from dependency to dependent; a person reads `depends on`, the other way round.
    around = [edge[0] for edge in reversed(edges)]
    first = around.index(min(around))
    turned = around[first:] + around[:first]
    raise CyclicPlan([*turned, turned[0]])
