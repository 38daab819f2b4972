"""A selection and an import graph as text for people and for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from switchyard_context import Edge, ImportGraph, Selection

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


def describe_chain(chain: Sequence[Edge]) -> list[str]:
    """A chain of imports, a line each."""
    return [f"{edge.importer}:{edge.line} imports {edge.imported} ({edge.kind})" for edge in chain]


def draw_edges(graph: ImportGraph) -> str:
    """An edge a line."""
    return "\n".join(f"{edge.importer}:{edge.line} {edge.kind} {edge.imported}" for edge in graph.edges())


def draw_dot(graph: ImportGraph) -> str:
    """The graph in Graphviz's language: a box a folder, files without edges too, a style a kind of import."""
    names = {path: _quote(path) for path in graph.files}
    lines = ["digraph imports {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    lines.extend(_draw_folders(graph, names))
    kinds: dict[tuple[str, str], str] = {}
    for edge in graph.edges():
        kinds.setdefault((edge.importer, edge.imported), edge.kind)
    for (importer, imported), kind in kinds.items():
        style = f" [style={_STYLES[kind]}]" if kind in _STYLES else ""
        lines.append(f"  {names[importer]} -> {names[imported]}{style};")
    return "\n".join([*lines, "}"])


def _draw_folders(graph: ImportGraph, names: Mapping[str, str]) -> Iterator[str]:
    folders: dict[str, list[str]] = {}
    for path in graph.files:
        folders.setdefault(path.rpartition("/")[0], []).append(path)
    for number, (folder, paths) in enumerate(sorted(folders.items())):
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={_quote(folder or '.')};"
        for path in paths:
            yield f"    {names[path]} [label={_quote(path.rpartition('/')[2])}];"
        yield "  }"


def _quote(text: str) -> str:
    """A string of Graphviz's language; names of files are untrusted, and a backslash would begin an escape."""
    shown = "".join(letter if letter.isprintable() else f"<{ord(letter):x}>" for letter in text)
    escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
