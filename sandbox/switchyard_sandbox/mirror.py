"""Code in: a bare mirror, and one prepared checkout per anchor commit that any number of boxes lie on top of.

What stands here was written by host git alone; no box ever writes to it. Builders take a lock and rename into place, so
a crash leaves nothing that looks finished.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from switchyard_git import CommitSha, GitError, Repository
from switchyard_git.checkout import lay_out, pack_between, refresh_index, share_objects

from switchyard_sandbox.contract import BadCode, CodeIn
from switchyard_sandbox.embedded.locking import hold
from switchyard_sandbox.sparse import write_patterns

OBJECTS_IN_BOX = "/var/lib/switchyard/objects"
"""Where a box finds the mirror's objects, read-only; its own new objects lie in its own `.git`."""

SETTINGS = {
    # Times and sizes only: a copy or an overlay has other inodes, and the index shall still agree.
    "core.checkStat": "minimal",
    "core.trustctime": "false",
    "gc.auto": "0",
    "user.name": "Switchyard agent",
    "user.email": "agent@switchyard.invalid",
    "advice.detachedHead": "false",
}
_OLDER_THAN_INDEX_S = 10
_SHA256_DIGITS = 64


@dataclass(frozen=True)
class CodeStore:
    """The mirror and the checkouts below one state folder."""

    state: Path
    uid: int | None
    """Who owns the checkouts; None: whoever runs this."""

    @property
    def objects(self) -> Path:
        """The mirror's object database."""
        return self.state / "mirror.git" / "objects"

    def checkout(self, code: CodeIn) -> Path:
        """The prepared checkout of the anchor, or of the files of it that are asked for; made when it is not there yet.

        Raises:
            BadCode: The repository or a commit is missing.
        """
        checkouts = self.state / "checkouts"
        checkouts.mkdir(parents=True, exist_ok=True)
        place = checkouts / _name(code)
        if place.is_dir():
            return place
        _require_commits(code)
        with hold(str(checkouts / f"{place.name}.lock")):
            if not place.is_dir():
                self._build(code, place)
        return place

    def write_delta(self, code: CodeIn, pack: Path) -> None:
        """Write what leads from the anchor to the commit, for the box's own git to read.

        Raises:
            BadCode: The repository or a commit is missing.
        """
        try:
            pack_between(Repository.open(code.repository), CommitSha(code.anchor), CommitSha(code.commit), pack)
        except GitError as err:
            raise BadCode(f"{code.commit} can't be laid over {code.anchor}: {err}", hint=err.hint) from err

    def _build(self, code: CodeIn, place: Path) -> None:
        fresh = place.with_name(f".new-{place.name}")
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            mirror = self._mirror_with(code)
            lay_out(mirror, CommitSha(code.anchor), fresh, SETTINGS, sparse=_patterns(code))
            _settle_times(fresh)
            refresh_index(fresh)
        except GitError as err:
            raise BadCode(f"{code.anchor} can't be checked out: {err}", hint=err.hint) from err
        (fresh / ".git" / "objects" / "info" / "alternates").write_text(OBJECTS_IN_BOX + "\n")
        self._own(fresh)
        fresh.rename(place)

    def _mirror_with(self, code: CodeIn) -> Repository:
        """The mirror, holding the anchor and all that leads to it, and nothing else of the repository."""
        path = self.state / "mirror.git"
        with hold(str(self.state / "mirror.lock")):
            mirror = Repository.init_bare(path)
            share_objects(mirror)
            anchor = f"refs/switchyard/anchors/{code.anchor}"
            # Not the commit's presence: a fetch that broke off may leave it without its files. The ref comes last.
            if anchor not in mirror.refs(anchor):
                mirror.fetch(code.repository, [f"{code.anchor}:{anchor}"])
        return mirror

    def _own(self, tree: Path) -> None:
        if self.uid is None:
            return
        for folder, names, files, descriptor in os.fwalk(tree):
            for name in [*names, *files]:
                os.chown(name, self.uid, self.uid, dir_fd=descriptor, follow_symlinks=False)
            os.chown(folder, self.uid, self.uid)


def _name(code: CodeIn) -> str:
    """A sparse checkout is one of its own for each commit that will be laid over it: patterns know that one's files."""
    if not code.paths:
        return code.anchor
    key = json.dumps([code.commit, sorted(set(code.paths))])
    return f"{code.anchor}-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _patterns(code: CodeIn) -> str:
    if not code.paths:
        return ""
    repository = Repository.open(code.repository)
    commits = {CommitSha(code.anchor), CommitSha(code.commit)}
    files = {path for commit in commits for path, _, _ in repository.list_entries(commit)}
    return write_patterns(sorted(files), code.paths)


def _settle_times(tree: Path) -> None:
    """Give every file a time before the index's, or git would compare contents again and again."""
    moment = int(time.time()) - _OLDER_THAN_INDEX_S
    for _, names, files, descriptor in os.fwalk(tree):
        for name in [*names, *files]:
            os.utime(name, (moment, moment), dir_fd=descriptor, follow_symlinks=False)


def _require_commits(code: CodeIn) -> None:
    if len(code.anchor) == _SHA256_DIGITS:
        raise BadCode(
            f"{code.repository} names its objects by SHA-256, and boxes take SHA-1 alone",
            hint="bring its history into a SHA-1 repository (`git fast-export --all | git fast-import` there)",
        )
    try:
        repository = Repository.open(code.repository)
        missing = [sha for sha in (code.anchor, code.commit) if not repository.has_commit(sha)]
    except GitError as err:
        raise BadCode(f"{code.repository} can't be read: {err}", hint=err.hint) from err
    if missing:
        raise BadCode(
            f"{code.repository} has no commit {missing[0]}", hint="fetch it first (`git fetch`), or name another"
        )
