"""What one file says by itself: its imports and its definitions, independent of where the file lies.

Facts hang on content alone, so they are cached per blob and shared by every revision that holds the blob.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

EdgeKind = Literal["import", "type", "dynamic", "reexport"]
EDGE_KINDS: tuple[EdgeKind, ...] = get_args(EdgeKind)

DefinitionKind = Literal["function", "class", "method", "type", "constant", "module"]
DEFINITION_KINDS: tuple[DefinitionKind, ...] = get_args(DefinitionKind)


@dataclass(frozen=True, slots=True)
class Import:
    """One import as written, before anything is resolved."""

    line: int
    module: str
    """The specifier as written: `..models`, `a.b`, `./x`, `@scope/name/sub`."""
    names: tuple[tuple[str, str], ...]
    """(name in the module, name bound here); `*` stands for all of them, `""` as bound name for none."""
    kind: EdgeKind
    is_public: bool = True
    """Whether another file can import again what this binds: module scope in Python, `export … from` in TypeScript."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A named piece of a file, lines counted from 1, both ends included."""

    name: str
    """Qualified by what encloses it: `Class.method`."""
    kind: DefinitionKind
    first_line: int
    header_line: int
    """Last line of the signature."""
    last_line: int

    @property
    def depth(self) -> int:
        return self.name.count(".")


@dataclass(frozen=True, slots=True)
class FileFacts:
    """All that is known of a file from its bytes alone."""

    imports: tuple[Import, ...] = ()
    definitions: tuple[Definition, ...] = ()
    package: str = ""
    """What the file says it belongs to: Go's package clause, Java's package."""
    attributes: tuple[str, ...] = ()
    """What else its header says that decides whether it is built: Go's build constraints, as written."""
    problem: str = ""
    """Why the facts are incomplete; empty when they are not."""

    def encode(self) -> list[Any]:
        """Plain JSON values, short enough to keep one row a blob."""
        return [
            [[i.line, i.module, i.names, EDGE_KINDS.index(i.kind), int(i.is_public)] for i in self.imports],
            [
                [d.name, DEFINITION_KINDS.index(d.kind), d.first_line, d.header_line, d.last_line]
                for d in self.definitions
            ],
            self.package,
            self.attributes,
            self.problem,
        ]


def decode_facts(value: Sequence[Any]) -> FileFacts:
    """The inverse of `FileFacts.encode`; a ValueError, TypeError or IndexError means that the row is damaged."""
    imports, definitions, package, attributes, problem = value
    return FileFacts(
        tuple(
            Import(line, module, tuple((name, bound) for name, bound in names), EDGE_KINDS[kind], bool(top))
            for line, module, names, kind, top in imports
        ),
        tuple(
            Definition(name, DEFINITION_KINDS[kind], first, header, last)
            for name, kind, first, header, last in definitions
        ),
        str(package),
        tuple(attributes),
        str(problem),
    )
