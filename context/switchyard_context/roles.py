"""The role that a file has by itself, whoever asks for it."""

from __future__ import annotations

import posixpath

from switchyard_context.graph import ImportGraph, is_test
from switchyard_context.languages import LANGUAGES
from switchyard_context.request import Role

_CONFIGS = frozenset(name for language in LANGUAGES.values() for group in language.configs for name in group)
_DECLARATIONS = (".pyi", ".d.ts", ".d.mts", ".d.cts")


def nature_of(path: str, graph: ImportGraph) -> Role:
    """What a file is: configuration by its name, a test by its language's rules, types if it declares nothing else."""
    name = posixpath.basename(path)
    if name in _CONFIGS:
        return "config"
    if is_test(path) or name == "conftest.py":
        return "test"
    if name.endswith(_DECLARATIONS):
        return "type"
    definitions = graph.facts[path].definitions if path in graph else ()
    outer = [item for item in definitions if not item.depth]
    # What lies inside an interface or a trait is part of it.
    return "type" if outer and all(item.kind == "type" for item in outer) else "dependency"
