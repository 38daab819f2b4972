"""Code in: a clone that the service makes of a public repository, or packs that the host makes; never a credential."""

from __future__ import annotations

import json
import posixpath
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from switchyard_git import CommitSha, GitError, Repository
from switchyard_git.snapshot_pack import pack_snapshot

from switchyard_sandbox.contract import BadCode, CodeIn
from switchyard_sandbox.daytona.layout import LayOut
from switchyard_sandbox.daytona.library import library
from switchyard_sandbox.daytona.remote import Remote, answer_of
from switchyard_sandbox.daytona.service import patiently, told
from switchyard_sandbox.embedded.locking import hold
from switchyard_sandbox.sparse import write_patterns

_LAY_OUT_S = 1800.0
_SETTINGS = {
    "gc.auto": "0",
    "user.name": "Switchyard agent",
    "user.email": "agent@switchyard.invalid",
    "advice.detachedHead": "false",
}


@dataclass(frozen=True)
class Parcel:
    """What a box lacks to lay its commit out."""

    code: CodeIn
    packs: tuple[Path, ...]
    sparse: str
    has_anchor: bool
    """The box holds the anchor's repository already: it comes from a snapshot."""

    @property
    def clones(self) -> bool:
        """Whether the service is to fetch the anchor itself."""
        return bool(self.code.remote) and not self.has_anchor


def host_of(remote: str) -> str:
    """The host name of a URL that a box may clone.

    Raises:
        BadCode: It is none, or holds a credential.
    """
    parts = urlsplit(remote)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.password:
        raise BadCode(
            f"a box can't clone {parts.scheme}://{parts.hostname or ''}",
            hint="give an http(s) URL without credentials, or leave it empty: the code is uploaded then",
        )
    return parts.hostname


def prepare(state: Path, code: CodeIn, spool: Path, *, has_anchor: bool) -> Parcel:
    """Make the packs for a box; the anchor's is kept for the next.

    Raises:
        BadCode: The repository or a commit can't be used.
    """
    try:
        source = Repository.open(code.repository)
        anchor, commit = CommitSha(code.anchor), CommitSha(code.commit)
        base = _anchor_pack(state, source, anchor)
        packs = () if has_anchor or code.remote else (base,)
        if commit != anchor:
            delta = spool / "delta.pack"
            pack_snapshot(source, commit, delta, beside=anchor)
            packs = (*packs, delta)
        files = sorted(entry.path for entry in source.list_tree(commit)) if code.paths else []
    except GitError as err:
        raise BadCode(f"{code.commit} (over {code.anchor}) can't be sent: {err}", hint=err.hint) from err
    return Parcel(code, packs, write_patterns(files, code.paths) if code.paths else "", has_anchor)


def lay_out(remote: Remote, parcel: Parcel, *, seal: Callable[[], None]) -> dict[str, object]:
    """Send the parcel and lay the commit out; returns who the box's user is.

    Args:
        seal: Called once nothing has to be fetched any more: takes the network for that away.

    Raises:
        BadCode: The commit can't be cloned or laid out.
    """
    place, code = remote.place, parcel.code
    clone = f"{place.base}/clone" if parcel.clones else ""
    if clone:
        _clone(remote, code, clone)
        seal()
    packs = {f"{place.base}/{number}.pack": pack for number, pack in enumerate(parcel.packs)}
    asked = LayOut(
        base=place.base,
        work=place.work,
        measured=place.measured,
        clone=clone,
        packs=list(packs),
        commit=code.commit,
        shallow=[] if clone else sorted({code.anchor, code.commit}),
        settings=_SETTINGS,
        sparse=parcel.sparse,
    )
    archive, request = f"{place.base}/lib.zip", f"{place.base}/lay-out.json"
    remote.upload({archive: library(), request: json.dumps(asked).encode(), **packs})
    unpack = shlex.join(("python3", "-I", "-S", "-m", "zipfile", "-e", archive, f"{place.base}/lib"))
    told_us = answer_of(remote.run(f"{unpack} && {place.inside('lay-out', request)}", _LAY_OUT_S))
    if "error" in told_us:
        raise BadCode(f"{code.commit} could not be laid out: {told_us['error']}", hint="run `git fsck` here")
    return told_us


def _clone(remote: Remote, code: CodeIn, target: str) -> None:
    with told(f"{code.remote} could not be cloned at {code.anchor}"):
        patiently(lambda: remote.sandbox.git.clone(code.remote, target, commit_id=code.anchor))


def _anchor_pack(state: Path, source: Repository, anchor: CommitSha) -> Path:
    packs = state / "packs"
    packs.mkdir(parents=True, exist_ok=True)
    pack = packs / f"{posixpath.basename(anchor)}.pack"
    if not pack.exists():
        with hold(str(pack.with_suffix(".lock"))):
            if not pack.exists():
                fresh = pack.with_suffix(".new")
                pack_snapshot(source, anchor, fresh)
                fresh.rename(pack)
    return pack
