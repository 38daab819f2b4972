"""A selection and an import graph as text for people and for Graphviz."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from switchyard_context import ImportGraph, Selection

_STYLES = {"type": "dashed", "dynamic": "dotted", "reexport": "bold"}


def describe_selection(selection: Selection) -> str:
    """Each file with its role, cost, lines and reasons; then what was due and is not in."""
    lines: list[str] = []
    for item in selection.files:
        shown = ", ".join(f"{first}-{last}" for first, last in item.slices) or "by name only"
        lines.append(f"{item.path}  {item.role}, {item.tokens} tokens")
        lines.append(f"    lines {shown}" if item.slices else f"    {shown}")
        lines.extend(f"    {reason}" for reason in item.reasons)
    lines.extend(f"not in: {item.path}: {item.reason}" for item in selection.dropped)
    lines.extend(f"unresolved: {item.path}:{item.line}: {item.imported}" for item in selection.unresolved)
    return "\n".join(lines)


def draw_edges(graph: ImportGraph) -> str:
    """An edge a line."""
    return "\n".join(f"{edge.importer}:{edge.line} {edge.kind} {edge.imported}" for edge in graph.edges())


def draw_dot(graph: ImportGraph) -> str:
    """The graph in Graphviz's language; files without edges are nodes too."""
    lines = ["digraph imports {", "  rankdir=LR;", "  node [shape=box];"]
    lines.extend(f"  {json.dumps(path)};" for path in graph.files)
    for edge in graph.edges():
        style = f" [style={_STYLES[edge.kind]}]" if edge.kind in _STYLES else ""
        lines.append(f"  {json.dumps(edge.importer)} -> {json.dumps(edge.imported)}{style};")
    return "\n".join([*lines, "}"])
