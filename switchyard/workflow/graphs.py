"""What is known of the last few commits: a run's tasks mostly start from the same ones, and their boxes ask again."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock

from switchyard_context import Codebase, open_codebase, open_source, write_seed
from switchyard_git import CommitSha

from switchyard.workflow.places import Places

KEPT = 8
SEEDS = 8
"""How many base commits' seeds stay; one that is gone costs the boxes on it time."""

_BUILDING = Lock()


def read_commit(places: Places, commit: CommitSha) -> Codebase:
    """A commit's files and all that is known of them; a commit never changes, so neither does what was built of it."""
    # One at a time: tasks that start together then wait for one graph and don't build it side by side.
    with _BUILDING:
        return _read(places.factory, commit, places.cache)


def read_result(places: Places, commit: CommitSha) -> Codebase:
    """The same of a commit that is asked about once: it takes no other's place among those that are kept."""
    with _BUILDING:
        return open_codebase(open_source(places.factory, commit), places.cache)


def ensure_seed(places: Places, commit: CommitSha) -> None:
    """Make the seed of a commit, from which the command inside a box starts warm. Without one it works as well."""
    codebase = read_commit(places, commit)
    place = places.seed(commit)
    with _BUILDING:
        if place.is_dir():
            return
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
            write_seed(codebase, fresh)
            _open_to_all(fresh)
            fresh.rename(place)
            _forget_old(place.parent)


def _open_to_all(folder: Path) -> None:
    """A box's user is not ours, and only reads."""
    for place in (folder, *folder.rglob("*")):
        place.chmod(0o755 if place.is_dir() else 0o644)


def _forget_old(seeds: Path) -> None:
    """Keep the newest, and what a killed process left half made not at all."""
    newest = sorted(seeds.iterdir(), key=lambda place: (not place.name.startswith("."), place.stat().st_mtime))
    for place in newest[:-SEEDS]:
        shutil.rmtree(place, ignore_errors=True)


@lru_cache(maxsize=KEPT)
def _read(repository: Path, commit: CommitSha, cache: Path) -> Codebase:
    return open_codebase(open_source(repository, commit), cache)
