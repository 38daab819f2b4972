"""What one file says by itself: its imports and its definitions, independent of where the file lies.

Facts hang on content alone, so they are cached per blob and shared by every revision that holds the blob.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

EdgeKind = Literal["import", "type", "dynamic", "reexport"]
EDGE_KINDS: tuple[EdgeKind, ...] = get_args(EdgeKind)

DefinitionKind = Literal["function", "class", "method", "type", "constant", "module"]
DEFINITION_KINDS: tuple[DefinitionKind, ...] = get_args(DefinitionKind)


class Import(NamedTuple):
    """One import as written, before anything is resolved."""

    line: int
    module: str
    """The specifier as written: `..models`, `a.b`, `./x`, `@scope/name/sub`."""
    names: tuple[tuple[str, str], ...]
    """(name in the module, name bound here); `*` stands for all of them, `""` as bound name for none."""
    kind: EdgeKind
    is_public: bool = True
    """Whether another file can import again what this binds: module scope in Python, `export … from` in TypeScript."""


class Definition(NamedTuple):
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

    def visible(self) -> object:
        """What other files may come to depend on: all but the lines on which things stand, modules in a file aside."""
        modules = [item for item in self.definitions if item.kind == "module"]
        return (
            [
                (*item[1:], [m.name for m in modules if m.first_line <= item.line <= m.last_line])
                for item in self.imports
            ],
            [item[:2] for item in self.definitions],
            self.package,
            self.attributes,
            self.problem,
        )


def pack_facts(facts: FileFacts) -> bytes:
    """Facts as bytes, the same for the same facts."""
    imports = [(line, module, names, EDGE_KINDS.index(kind), top) for line, module, names, kind, top in facts.imports]
    definitions = [(d[0], DEFINITION_KINDS.index(d[1]), *d[2:]) for d in facts.definitions]
    row = (imports, definitions, facts.package, facts.attributes, facts.problem)
    return json.dumps(row, separators=(",", ":")).encode()


def unpack_facts(row: bytes) -> FileFacts:
    """The inverse of `pack_facts`.

    Raises:
        ValueError: The bytes are something else; likewise TypeError and IndexError.
    """
    imports, definitions, package, attributes, problem = json.loads(row)
    return FileFacts(
        tuple(
            [
                Import(line, module, tuple([(name, bound) for name, bound in names]), EDGE_KINDS[kind], top)
                for line, module, names, kind, top in imports
            ]
        ),
        tuple([Definition(d[0], DEFINITION_KINDS[d[1]], d[2], d[3], d[4]) for d in definitions]),
        package,
        tuple(attributes),
        problem,
    )
