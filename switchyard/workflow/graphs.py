"""The import graphs of the last few commits: a run's tasks mostly start from the same ones."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from threading import Lock

from switchyard_context import Codebase, open_codebase, open_source
from switchyard_git import CommitSha

from switchyard.workflow.places import Places

KEPT = 4

_BUILDING = Lock()


def read_commit(places: Places, commit: CommitSha) -> Codebase:
    """A commit's files and all that is known of them; a commit never changes, so neither does what was built of it."""
    # One at a time: tasks that start together then wait for one graph and don't build it side by side.
    with _BUILDING:
        return _read(places.factory, commit, places.cache)


@lru_cache(maxsize=KEPT)
def _read(repository: Path, commit: CommitSha, cache: Path) -> Codebase:
    return open_codebase(open_source(repository, commit), cache)
