"""What can go wrong while a context is picked, under one root that callers catch."""

from __future__ import annotations

from collections.abc import Sequence

from switchyard_context.naming import near_symbols


class ContextError(Exception):
    """Root of what switchyard_context raises.

    SourceUnreadable; BadRequest (NoRepository, UnknownRevision, EmptyRequest, InvalidLimit, UnknownRole, UnknownPath,
    UnknownSymbol).
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SourceUnreadable(ContextError):
    """The tree cannot be listed or read: git refuses the repository, or an object is missing."""


class BadRequest(ContextError):
    """The request itself is wrong; nothing in the tree needs to change."""


class NoRepository(BadRequest):
    """No git repository where one was named."""


class UnknownRevision(BadRequest):
    """A name that leads to no commit of the repository."""


class EmptyRequest(BadRequest):
    """Neither text nor target nor seed: there is nothing to pick a context for."""


class InvalidLimit(BadRequest):
    """A budget or a number of files that leaves room for nothing."""

    def __init__(self, what: str, value: int) -> None:
        super().__init__(f"{what} is {value}", hint=f"give a {what} of 1 or more")
        self.value = value


class UnknownRole(BadRequest):
    """A role that no file can have."""

    def __init__(self, role: str, known: Sequence[str]) -> None:
        super().__init__(f"no role {role!r}", hint=f"roles are {', '.join(known)}")
        self.role = role


class UnknownPath(BadRequest):
    """A path that the tree, or its import graph, does not hold."""

    def __init__(self, path: str, *, near: Sequence[str] = (), kind: str = "file") -> None:
        rule = "paths are written from the top of the repository"
        if kind == "source file":
            rule += "; a file that no language reads takes no part in the import graph"
        hint = f"did you mean {' or '.join(near)}?" if near else rule
        super().__init__(f"no {kind} {path!r} in the tree", hint=hint)
        self.path = path


class UnknownSymbol(BadRequest):
    """A seed names a symbol that its file does not define."""

    def __init__(self, path: str, symbol: str, defined: Sequence[str]) -> None:
        names = list(dict.fromkeys(defined))
        names = list(dict.fromkeys((*near_symbols(symbol, names), *names)))
        shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        hint = f"it defines {shown}" if defined else "no symbols of it are known; name the file alone"
        super().__init__(f"{path} defines no {symbol!r}", hint=hint)
        self.path = path
        self.symbol = symbol
