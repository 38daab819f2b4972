"""What a caller asks for, checked against the tree before anything is ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, get_args

from switchyard_context.errors import EmptyRequest, InvalidLimit, UnknownPath, UnknownRole, UnknownSymbol
from switchyard_context.graph import ImportGraph
from switchyard_context.languages.contract import parents_of
from switchyard_context.naming import near_names
from switchyard_context.source import Source

Role = Literal["target", "dependency", "type", "test", "config"]
ROLES: tuple[Role, ...] = get_args(Role)

DEFAULT_BUDGET = 16_000


@dataclass(frozen=True)
class Request:
    """One question to the selector; at least one of text, targets and seeds says something."""

    text: str = ""
    """A task or an issue in prose."""
    targets: Sequence[str] = ()
    """Files to be changed: paths, folders or globs; one that is not there yet is fine."""
    seeds: Sequence[str] = ()
    """`PATH` or `PATH:SYMBOL` to start from; each must exist."""
    budget_tokens: int = DEFAULT_BUDGET
    roles: Sequence[str] = ()
    """Keep these roles only; empty keeps all."""
    top: int | None = None
    """At most so many files; None leaves it to the budget."""
    always: Sequence[str] = ()
    """Files that are in whatever their rank, as far as the budget goes."""
    under: Sequence[str] = ()
    """Folders to stay in: what answers the text and what lies near come only from there; empty is the whole tree."""


@dataclass(frozen=True)
class Aim:
    """A request with its names looked up."""

    targets: tuple[str, ...]
    """Existing files, in the order asked for."""
    absent: tuple[str, ...]
    """Targets that the tree does not hold."""
    symbols: dict[str, frozenset[str]]
    """Path → the symbols of it that were asked for."""
    seeded: frozenset[str]
    """Those of the targets that were given as seeds."""
    always: tuple[str, ...]
    absent_always: tuple[str, ...]
    under: tuple[str, ...]

    def is_in_focus(self, path: str) -> bool:
        """Whether a file lies where the request wants to stay."""
        return not self.under or any(path == folder or path.startswith(f"{folder}/") for folder in self.under)


def aim(request: Request, graph: ImportGraph, source: Source) -> Aim:
    """Check a request and look its names up.

    Raises:
        EmptyRequest, InvalidLimit, UnknownRole: The request says nothing, or nothing sensible.
        UnknownPath, UnknownSymbol: A seed, or a folder to stay in, is not in the tree.
    """
    _check(request)
    symbols: dict[str, frozenset[str]] = {}
    seeds = [_split_seed(seed, graph, source) for seed in request.seeds]
    for path, symbol in seeds:
        if symbol:
            symbols[path] = symbols.get(path, frozenset()) | {symbol}
    targets, absent = _expand(request.targets, source)
    always, absent_always = _expand(request.always, source)
    wanted = dict.fromkeys([*targets, *(path for path, _ in seeds)])
    seeded = frozenset(path for path, _ in seeds) - set(targets)
    always = tuple(path for path in always if path not in wanted)
    return Aim(tuple(wanted), absent, symbols, seeded, always, absent_always, _folders(request.under, source))


def _check(request: Request) -> None:
    if not (request.text.strip() or request.targets or request.seeds):
        raise EmptyRequest("nothing to select for", hint="give a text, a target or a seed")
    if request.budget_tokens <= 0:
        raise InvalidLimit("budget", request.budget_tokens)
    if request.top is not None and request.top <= 0:
        raise InvalidLimit("top", request.top)
    for role in request.roles:
        if role not in ROLES:
            raise UnknownRole(role, ROLES)


def _split_seed(seed: str, graph: ImportGraph, source: Source) -> tuple[str, str]:
    path, symbol = _clean(seed), ""
    if path not in source.blobs and ":" in seed:
        before, _, symbol = seed.rpartition(":")
        path = _clean(before)
    if path not in source.blobs:
        raise UnknownPath(path, near=near_names(path, list(source.blobs)))
    defined = [item.name for item in graph.facts[path].definitions] if path in graph else []
    if symbol and symbol not in defined:
        inner = [name for name in defined if name.rpartition(".")[2] == symbol]
        if len(inner) != 1:
            raise UnknownSymbol(path, symbol, inner or defined)
        symbol = inner[0]
    return path, symbol


def _expand(names: Sequence[str], source: Source) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found: dict[str, None] = {}
    absent: list[str] = []
    for name in names:
        path = _clean(name)
        if path in source.blobs:
            found[path] = None
            continue
        inside = [other for other in source.blobs if other.startswith(path + "/") or fnmatchcase(other, path)]
        found.update(dict.fromkeys(inside))
        if not inside:
            absent.append(path)
    return tuple(found), tuple(absent)


def _folders(names: Sequence[str], source: Source) -> tuple[str, ...]:
    folders = tuple(dict.fromkeys(_clean(name) for name in names))
    if "" in folders or "." in folders:
        return ()
    for folder in folders:
        if not any(path == folder or path.startswith(f"{folder}/") for path in source.blobs):
            parents = sorted({parent for path in source.blobs for parent in parents_of(path) if parent})
            raise UnknownPath(folder, near=near_names(folder, parents), kind="folder")
    return folders


def _clean(path: str) -> str:
    return path.strip().removeprefix("./").rstrip("/")
