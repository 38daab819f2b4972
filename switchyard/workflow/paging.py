"""What a pull request's page is made of, read from the commit, the import graph, the ledger and the configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pathspec import GitIgnoreSpec
from switchyard_context import ContextError, ImportGraph, is_test
from switchyard_git import CommitSha

from switchyard.agents.result import read_result
from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.page import Account, PageFacts, render_page
from switchyard.gates.risk import FileFacts
from switchyard.ledger import ArtifactStore, Event, LedgerError
from switchyard.packets import ArtifactRef, BuildResultPacket, Ground, Packet, Proof
from switchyard.workflow.factory import Factory
from switchyard.workflow.graphs import read_result as read_graph
from switchyard.workflow.inspecting import read_change
from switchyard.workflow.paths import printable

MOST_FILES = 2_000
"""Of a change whose size is measured file by file."""
MOST_WHOLE_CHARS = 2_000_000
_NO_SOURCE = frozenset(
    (
        *("md", "rst", "txt", "json", "toml", "yaml", "yml", "lock", "csv", "cfg", "ini", "xml", "svg", "png", "jpg"),
        *("gif", "html", "css", "gitignore", "sum", "mod", "in", "snap", "patch", "diff", "pem", "ico", "pdf", ""),
    )
)
"""Suffixes of what is no code that somebody imports."""


class WrittenPage(Packet):
    """A page, and where it lies whole."""

    text: str
    whole: ArtifactRef


def write_page(factory: Factory, ground: Ground, head: CommitSha, proof: Proof, rows: Sequence[Event]) -> WrittenPage:
    """The page of a commit that is about to be published; it is kept whole as an artifact.

    Args:
        rows: What the ledger says of the task, of every run.
    """
    change = read_change(factory.quarantine, ground.commit, head)
    facts = PageFacts(
        proof=proof,
        files=_files(change, _graph(factory, head), factory.config.review.escalate_paths),
        account=account_of(factory.artifacts, rows, head),
        cut=max(0, len(change.files) - MOST_FILES),
    )
    whole = factory.artifacts.put(render_page(facts, most=MOST_WHOLE_CHARS).encode())
    return WrittenPage(text=render_page(facts, whole=whole), whole=whole)


def account_of(artifacts: ArtifactStore, rows: Sequence[Event], head: CommitSha) -> Account | None:
    """What the agent that made a commit said of it; None: nothing that can be read."""
    made = [row for row in rows if row.event_type == "attempt_extracted" and row.data.get("commit") == head]
    left = made[-1].data.get("result") if made else None
    if not left:
        return None
    try:
        result = read_result(artifacts.get(left["artifact"]), BuildResultPacket).result
    except LedgerError:
        return None
    if result is None:
        return None
    return Account(result.summary, result.rationale, result.confidence, made[-1].agent)


def _graph(factory: Factory, head: CommitSha) -> ImportGraph | None:
    """Who imports whom at a commit; None: it can't be read, and the page says less."""
    try:
        return read_graph(factory.places, head).graph
    except ContextError:
        return None


def _files(change: Change, graph: ImportGraph | None, watched: Sequence[str]) -> tuple[FileFacts, ...]:
    spec = GitIgnoreSpec.from_lines(watched)
    return tuple(_file(one, graph, spec) for one in change.files[:MOST_FILES])


def _file(one: ChangedFile, graph: ImportGraph | None, watched: GitIgnoreSpec) -> FileFacts:
    added, removed = _sizes(one)
    is_known = graph is not None and one.path in graph
    importers = [edge.importer for edge in graph.importers_of(one.path)] if graph and is_known else []
    imported = [edge.imported for edge in graph.imports_of(one.path)] if graph and is_known else []
    near = next((path for path in (one.path, *imported, *importers) if watched.match_file(path)), "")
    is_source = is_known and not is_test(one.path) and one.status != "deleted"
    return FileFacts(
        path=printable(one.path),
        status=one.status,
        added=added,
        removed=removed,
        is_binary=one.is_binary,
        is_test=is_test(one.path),
        is_read=graph is None or is_known or one.status == "deleted" or one.is_binary or not _is_code(one.path),
        importers=len(set(importers)),
        tests=len(graph.tests_covering([one.path])) if graph and is_source else None,
        near=printable(near),
    )


def _sizes(one: ChangedFile) -> tuple[int, int]:
    """Lines that are new and lines that are gone, wherever in the file; none of what is no text."""
    if one.is_binary:
        return 0, 0
    before, after = Counter((one.before or b"").splitlines()), Counter((one.after or b"").splitlines())
    return (after - before).total(), (before - after).total()


def _is_code(path: str) -> bool:
    """Whether a path's suffix, or its want of one, leaves room for code."""
    name = path.rpartition("/")[2]
    return (name.rpartition(".")[2].lower() if "." in name else "") not in _NO_SOURCE
