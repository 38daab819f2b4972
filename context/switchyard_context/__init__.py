"""Which files and symbols a task needs, read from the import graph of a tree; knows nothing of tasks or sandboxes."""

from switchyard_context.codebase import Codebase, build_graph, open_codebase
from switchyard_context.errors import (
    BadRequest,
    ContextError,
    EmptyRequest,
    InvalidLimit,
    NoRepository,
    SourceUnreadable,
    UnknownPath,
    UnknownRevision,
    UnknownRole,
    UnknownSymbol,
)
from switchyard_context.graph import Edge, ImportGraph, Unresolved, is_test
from switchyard_context.request import ROLES, Request, Role
from switchyard_context.seeding import lay_seed, write_seed
from switchyard_context.select import Dropped, SelectedFile, Selection, render_markdown, render_paths, select
from switchyard_context.source import Source, open_source
from switchyard_context.tokens import count_tokens

__all__ = [
    "ROLES",
    "BadRequest",
    "Codebase",
    "ContextError",
    "Dropped",
    "Edge",
    "EmptyRequest",
    "ImportGraph",
    "InvalidLimit",
    "NoRepository",
    "Request",
    "Role",
    "SelectedFile",
    "Selection",
    "Source",
    "SourceUnreadable",
    "UnknownPath",
    "UnknownRevision",
    "UnknownRole",
    "UnknownSymbol",
    "Unresolved",
    "build_graph",
    "count_tokens",
    "is_test",
    "lay_seed",
    "open_codebase",
    "open_source",
    "render_markdown",
    "render_paths",
    "select",
    "write_seed",
]
