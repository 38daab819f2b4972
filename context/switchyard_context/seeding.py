"""What is known of one tree, and of no other, handed to somebody who must not see or write the cache it comes from."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from switchyard_context.codebase import Codebase
from switchyard_context.history_cache import HistoryCache
from switchyard_context.tree_store import TreeStore

_TREES = "trees"
_COPIED_BYTES = 256 << 20
"""A larger file is linked to: what is learned in addition then lasts for one command only."""


def write_seed(codebase: Codebase, folder: Path) -> None:
    """Write a seed of a codebase into an empty folder; whoever lays it into a cache of their own starts warm.

    A table of terms that the tree shares with others holds their words too, so it is not handed on.
    """
    terms = codebase.own_terms()
    state = codebase.state
    alone = replace(state, terms_key=codebase.key, moved=np.arange(len(state.files), dtype=np.int32))
    store = TreeStore(folder)
    store.save(alone, codebase.key)
    store.save_terms(terms, codebase.key)
    codebase.index.hand_on(folder)
    if codebase.cache is not None and (past := codebase.history):
        known, seed, head = HistoryCache(codebase.cache), HistoryCache(folder), codebase.source.revision
        shas = [commit.sha for commit in past]
        seed.store(known.load(shas))
        seed.store_walk(head, shas)


def lay_seed(seed: Path, cache: Path) -> None:
    """Start a cache from a seed, once. Trees are linked to, for nobody ever writes into one; the rest is copied."""
    if cache.exists():
        return
    with suppress(OSError):
        (cache / _TREES).mkdir(parents=True)
        for entry in os.scandir(seed / _TREES):
            (cache / _TREES / entry.name).symlink_to(entry.path)
        for file in seed.glob("*.sqlite"):
            if file.stat().st_size <= _COPIED_BYTES:
                shutil.copyfile(file, cache / file.name)
            else:
                (cache / file.name).symlink_to(file)
