"""How the commit's files come to stand in a box: a copy of the prepared checkout, or a fetch of the box's own git."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import urlsplit

from switchyard_git import CommitSha, Repository

from switchyard_sandbox.contract import INBOX, WORKDIR, BadCode, CodeIn, Command
from switchyard_sandbox.docker.carrying import run_inside
from switchyard_sandbox.docker.container import CHECKOUT, Container
from switchyard_sandbox.docker.images import SETUP
from switchyard_sandbox.docker.task import HOME
from switchyard_sandbox.mirror import SETTINGS
from switchyard_sandbox.sparse import write_patterns as patterns_of

DELTA = ".delta.pack"
_PATTERNS = ".patterns"
_TIMEOUT_S = 1800.0
_LAY_OUT = f"""
umask 022
copy() {{ [ ! -d "$1" ] || cp -R --no-dereference --preserve=mode,timestamps,links -- "$1/." "$2"; }}
copy {CHECKOUT} {WORKDIR} && copy {SETUP}/work {WORKDIR} && copy {SETUP}/home {HOME}
"""
_LAY_DELTA = f"git index-pack --stdin --fix-thin < {INBOX}/{DELTA} && git checkout --quiet --force --detach {{commit}}"
_FETCH = f"""
set -e
git init --quiet .
git fetch --quiet --no-tags --depth 1 -- {{remote}} {{commit}}
if [ "$(git rev-parse FETCH_HEAD)" != {{commit}} ]; then echo "it answered with another commit" >&2; exit 1; fi
if [ -f {INBOX}/{_PATTERNS} ]; then
    git config core.sparseCheckout true
    mkdir -p .git/info
    cp {INBOX}/{_PATTERNS} .git/info/sparse-checkout
fi
{{settings}}
git checkout --quiet --force --detach {{commit}}
rm .git/FETCH_HEAD
"""


def lay_out(container: Container) -> None:
    """Copy the checkout and what set-up installed, as far as the container has them, to where commands write.

    Raises:
        SandboxError: It could not be copied.
    """
    run_inside(container, ("/bin/sh", "-c", _LAY_OUT))


def delta_command(commit: str) -> Command:
    """What brings a box from its anchor to its commit, by the pack in its inbox."""
    return Command(("/bin/sh", "-c", _LAY_DELTA.format(commit=commit)), timeout_s=_TIMEOUT_S)


def fetch_command(code: CodeIn) -> Command:
    """What fetches the anchor into an empty work tree, and nothing that is not that commit."""
    settings = "\n".join(f"git config {name} {shlex.quote(value)}" for name, value in SETTINGS.items())
    script = _FETCH.format(remote=shlex.quote(code.remote), commit=code.anchor, settings=settings)
    return Command(("/bin/sh", "-c", script), timeout_s=_TIMEOUT_S)


def host_of(remote: str) -> str:
    """What the proxy must let through for a remote.

    Raises:
        BadCode: It is no address that a proxy can lead to, or it holds a credential.
    """
    where = urlsplit(remote)
    if where.scheme not in ("https", "http") or not where.hostname or where.username or where.password:
        raise BadCode(
            f"a box can't fetch from {where.scheme}://{where.hostname}", hint="give an https URL without credentials"
        )
    return f"{where.hostname}:{where.port}" if where.port else where.hostname


def write_patterns(inbox: Path, code: CodeIn) -> None:
    """Leave for the box which files it lays out; nothing where that is all of them."""
    if not code.paths:
        return
    repository = Repository.open(code.repository)
    commits = {CommitSha(code.anchor), CommitSha(code.commit)}
    files = {path for commit in commits for path, _, _ in repository.list_entries(commit)}
    place = inbox / _PATTERNS
    place.write_text(patterns_of(sorted(files), code.paths), errors="surrogateescape")
    place.chmod(0o644)
