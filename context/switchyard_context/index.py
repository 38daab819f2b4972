"""The facts of every source file of a tree: cached per blob, parsed where the cache has none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from switchyard_context.cache import FactCache
from switchyard_context.facts import FileFacts
from switchyard_context.languages import language_of, suffix_of
from switchyard_context.source import Source
from switchyard_context.workers import Job, parse

_BATCH_BYTES = 64_000_000


def read_index(source: Source, cache: Path | None) -> dict[str, FileFacts]:
    """Path → facts of every file that some language reads, sorted by path.

    Args:
        cache: Folder to keep facts in; None keeps nothing.
    """
    keys = {path: _key(path, blob) for path, blob in source.blobs.items() if language_of(path) is not None}
    store = FactCache(cache) if cache is not None else None
    known = store.load(sorted(set(keys.values()))) if store else {}
    absent: dict[str, str] = {}
    for path, key in keys.items():
        if key not in known:
            absent.setdefault(key, path)
    parsed = _parse_all(source, absent)
    if store and parsed:
        store.store(parsed)
    known.update(parsed)
    return {path: known.get(key, _VANISHED) for path, key in keys.items()}


_VANISHED = FileFacts(problem="vanished while it was read")


def _parse_all(source: Source, absent: dict[str, str]) -> dict[str, FileFacts]:
    key_of = {path: key for key, path in absent.items()}
    parsed: dict[str, FileFacts] = {}
    batch: list[Job] = []
    size = 0
    for path, content in source.read_many(absent.values()):
        batch.append((path, content))
        size += len(content)
        if size >= _BATCH_BYTES:
            parsed.update(_parse_batch(batch, key_of))
            batch, size = [], 0
    parsed.update(_parse_batch(batch, key_of))
    return parsed


def _parse_batch(batch: Sequence[Job], key_of: dict[str, str]) -> dict[str, FileFacts]:
    return {key_of[path]: facts for (path, _), facts in zip(batch, parse(batch), strict=True)}


def _key(path: str, blob: str) -> str:
    language = language_of(path)
    assert language is not None
    return f"{language.version}{suffix_of(path)}:{blob}"
