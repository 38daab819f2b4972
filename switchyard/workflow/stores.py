"""The two repositories on the host, and where a run's work starts from."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from switchyard_git import Access, CommitSha, Repository, UnknownRevision

from switchyard.config import Config
from switchyard.errors import UsageError
from switchyard.workflow.places import Places

LOCK_PATIENCE_S = 5.0
LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Base:
    """Where work starts, and where branches go."""

    branch: str
    commit: CommitSha
    target: str
    """The remote's URL, or the repository's own git directory where it has no remote."""


@dataclass(frozen=True)
class Upstream:
    """Where work starts from and branches go."""

    target: str
    """A URL without a credential, or the repository's own git directory."""
    access: Access | None = None
    """How git is let in there; None: as the user is."""

    def let_in(self, repository: Repository) -> Repository:
        """The same repository, able to fetch from there and to push to it."""
        return repository.with_access(self.access) if self.access else repository


def open_stores(places: Places) -> tuple[Repository, Repository]:
    """The mirror and the factory repository, made where they are missing; the second borrows the first's objects."""
    places.state.mkdir(parents=True, exist_ok=True)
    mirror, quarantine = Repository.init_bare(places.mirror), Repository.init_bare(places.factory)
    _borrow(places)
    return mirror, quarantine


def clear_stale_locks(places: Places) -> None:
    """Remove git's lock files from both repositories, as the machine's end leaves them: git itself never would.

    The caller holds the factory's lock. A git process that a killed factory left behind may still be about to end by
    itself, so locks get a moment before they count as stale.
    """
    patience = time.monotonic() + LOCK_PATIENCE_S
    while (locks := _git_locks(places)) and time.monotonic() < patience:
        time.sleep(LOOK_EVERY_S)
    for lock in locks:
        lock.unlink(missing_ok=True)


def _git_locks(places: Places) -> list[Path]:
    repositories = (places.mirror, places.factory)
    return [
        lock
        for repository in repositories
        for lock in (*repository.glob("*.lock"), *(repository / "refs").rglob("*.lock"))
    ]


def _borrow(places: Places) -> None:
    """Let the factory repository read the mirror's objects, and where its history ends if it is shallow.

    Both are named relative to the state folder, so that it may be moved.
    """
    mirror = Path("..") / places.mirror.name
    alternates = places.factory / "objects" / "info" / "alternates"
    wanted = f"{Path('..') / mirror / 'objects'}\n"
    if not alternates.is_file() or alternates.read_text() != wanted:
        alternates.parent.mkdir(parents=True, exist_ok=True)
        alternates.write_text(wanted)
    boundary = places.factory / "shallow"
    if not boundary.is_symlink():
        boundary.unlink(missing_ok=True)
        boundary.symlink_to(mirror / "shallow")


def fetch_base(origin: Repository, mirror: Repository, config: Config, upstream: Upstream | None = None) -> Base:
    """Bring the base branch into the mirror: from the remote where there is one, else from the repository itself.

    Args:
        upstream: Where the forge has its branches; None: the remote of the configuration.

    Raises:
        UsageError: The repository has no commit, or no branch of that name.
        RemoteUnavailable: The remote can't be reached.
    """
    branch = config.repository.base
    upstream = upstream or Upstream(target_of(origin, config))
    _refuse_empty(origin, upstream.target)
    source = f"refs/heads/{branch}"
    let_in = upstream.let_in(mirror)
    try:
        let_in.fetch(upstream.target, [f"+{source}:{source}"])
    except UnknownRevision as err:
        raise UsageError(
            f"no branch {branch!r} in {_place(origin, config, upstream)}",
            hint=f"push it, or set base = … under [repository] in switchyard.toml{_branches(let_in, upstream.target)}",
        ) from err
    return Base(branch=branch, commit=mirror.resolve(source), target=upstream.target)


def target_of(origin: Repository, config: Config) -> str:
    """Where branches go: the remote's URL, or the repository's own git directory where it has no such remote."""
    remote = config.repository.remote
    url = origin.remote_url(remote) if remote else None
    return _absolute(origin, url) if url else str(origin.common_dir)


def public_url_of(origin: Repository, config: Config) -> str:
    """The remote's URL as a sandbox may have it: public, by http, and without what stands for a person.

    Raises:
        UsageError: There is no such remote, or it is reached in another way.
    """
    remote = config.repository.remote
    url = (origin.remote_url(remote) if remote else None) or ""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        shown = url.rpartition("@")[2] if parts.scheme else url
        raise UsageError(
            f'[sandbox] code = "remote" needs a public http(s) remote, and {remote!r} is {shown or "not there"}',
            hint='set code = "host": then the host brings the code',
        )
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _refuse_empty(origin: Repository, target: str) -> None:
    if target == str(origin.common_dir) and not origin.refs("refs/heads"):
        raise UsageError(
            f"{origin.common_dir} has no commits", hint="commit something first; work starts from a commit"
        )


def _place(origin: Repository, config: Config, upstream: Upstream) -> str:
    remote = config.repository.remote
    url = origin.remote_url(remote) if remote else None
    return f"remote {remote!r} ({url})" if url and upstream.access is None else upstream.target


def _absolute(origin: Repository, url: str) -> str:
    """A remote given as a relative path is relative to the repository, not to where the factory happens to run."""
    local = "://" not in url and ":" not in url.split("/", 1)[0]
    if not local:
        return url
    root = origin.worktree or origin.git_dir
    return str((root / Path(url).expanduser()).resolve())


def _branches(repository: Repository, target: str) -> str:
    names = sorted(ref.removeprefix("refs/heads/") for ref in repository.ls_remote(target, ["refs/heads/*"]))
    return f"; it has: {', '.join(names[:8])}" if names else "; it has no branches at all"
