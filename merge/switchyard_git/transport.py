"""Talks to other repositories: fetch, push with explicit leases, look. The user's credentials apply, prompts do not."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from switchyard_git.access import Access, introduced
from switchyard_git.errors import (
    GitError,
    GitTimeout,
    InvalidName,
    PushRejected,
    RemoteUnavailable,
    UnknownRevision,
    UntrustedRepository,
)
from switchyard_git.plumbing import TRANSPORT_TIMEOUT_S, Plumbing
from switchyard_git.process import Result, Settings
from switchyard_git.refs import checked_ref
from switchyard_git.values import CommitSha, RefName, RefUpdate, RemoteBranch

_PASSWORD = re.compile(r"(\w[\w+.-]*://)[^/@\s]*@")
_REFUSED = "Authentication failed"
_COLLATERAL = "atomic push failed"
_SAID_CHARS = 1000


@dataclass(frozen=True)
class Transport(Plumbing):
    """Verbs over other repositories, each named by a URL or a path."""

    def with_access(self, access: Access) -> Self:
        """The same repository, let in by one host with a password of ours; one that is not trusted never uses it."""
        return replace(self, access=access)

    def fetch(self, source: str | Path, refspecs: Sequence[str], *, prune: bool = False) -> None:
        """Bring refs here, all of them or none; tags and submodules are left alone.

        Args:
            refspecs: As in git; a leading `+` lets a ref move backwards. A bare commit id brings its objects only.
            prune: Remove refs here that the refspecs cover and the source no longer has.

        Raises:
            RemoteUnavailable: It cannot be reached, or does not let us in.
            UnknownRevision: It has no such ref.
        """
        flags = ["--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--atomic", "--update-shallow"]
        flags += ["--no-auto-maintenance", "--quiet", *(("--prune",) if prune else ())]
        result = self._transport(source, "fetch", *flags, "--", _place(source), *refspecs)
        missing = re.search(r"couldn't find remote ref (\S+)", result.stderr)
        if missing:
            raise UnknownRevision(missing[1], _shown(source), hint="check the branch's name on the remote")
        if result.code:
            raise _unavailable(source, result)

    def push(self, target: str | Path, updates: Sequence[RefUpdate], *, atomic: bool = True) -> None:
        """Move refs of another repository, each only from where the caller expects it.

        The lease names the expected commit itself: one without would trust whatever was fetched last.

        Raises:
            UnknownRevision: A commit to push is not here.
            PushRejected: A ref is elsewhere, or the other side refuses it; with `atomic` no ref moved.
            RemoteUnavailable: It cannot be reached, or does not let us in.
        """
        if not updates:
            return
        leases = [f"--force-with-lease={checked_ref(update.ref)}:{update.expected or ''}" for update in updates]
        refspecs = [f"{update.new or ''}:{update.ref}" for update in updates]
        flags = ["--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"]
        flags += ["--atomic"] if atomic else []
        result = self._transport(target, "push", *flags, *leases, "--", _place(target), *refspecs)
        refused = _refused(result.stdout)
        if refused:
            self._refuse_absent([update.new for update in updates if update.new])
            causes = tuple(ref for ref, reason in refused.items() if _COLLATERAL not in reason)
            raise PushRejected(_shown(target), causes or tuple(refused), refused, _said(result.stderr))
        if result.code:
            raise _unavailable(target, result)

    def ls_remote(self, source: str | Path, patterns: Sequence[str] = ()) -> dict[RefName, CommitSha]:
        """The refs of another repository whose full names match a pattern (`refs/heads/factory/*`); all without one."""
        result = self._transport(source, "ls-remote", "--refs", "--quiet", "--", _place(source), *patterns)
        if result.code:
            raise _unavailable(source, result)
        rows = (line.split("\t", 1) for line in result.stdout.decode("utf-8", "surrogateescape").split("\n") if line)
        # git matches a pattern against any tail of a name; a caller means the whole name.
        return {
            RefName(name): CommitSha(sha)
            for sha, name in rows
            if not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
        }

    def remote_head(self, source: str | Path) -> RemoteBranch | None:
        """The branch that another repository's HEAD is on; None when it is empty or detached."""
        result = self._transport(source, "ls-remote", "--symref", "--quiet", "--", _place(source), "HEAD")
        if result.code:
            raise _unavailable(source, result)
        answer = result.stdout.decode("utf-8", "surrogateescape")
        name = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", answer, re.MULTILINE)
        sha = re.search(r"^([0-9a-f]+)\tHEAD$", answer, re.MULTILINE)
        return RemoteBranch(name[1], CommitSha(sha[1])) if name and sha else None

    def _refuse_absent(self, commits: Sequence[CommitSha]) -> None:
        """Tell a commit that we do not have ourselves from one that the other side refused."""
        for commit in commits:
            self.resolve(commit)

    def _transport(self, place: str | Path, *arguments: str) -> Result:
        access = self.access if self.trusted else None
        result = self._introduced(access, place, *arguments)
        # Who is not let in has done nothing yet, so it can be asked for once more.
        was_refused = result.code and _REFUSED in result.stderr
        if was_refused and access is not None and access.serves(str(place)) and access.renew():
            return self._introduced(access, place, *arguments)
        return result

    def _introduced(self, access: Access | None, place: str | Path, *arguments: str) -> Result:
        try:
            with introduced(access, str(place)) as ours:
                return self._run(
                    *arguments,
                    settings=Settings.USER,
                    timeout_s=TRANSPORT_TIMEOUT_S,
                    config=ours.config,
                    pass_fds=ours.pass_fds,
                )
        except GitTimeout as err:
            raise RemoteUnavailable(f"{_shown(place)} did not answer: {err}", hint=err.hint) from err


def _place(target: str | Path) -> str:
    """What names the other side, never taken for an option; a path is made absolute, since git runs elsewhere."""
    if isinstance(target, Path):
        return str(target.absolute())
    if not target or target.startswith("-") or "\0" in target:
        raise InvalidName(f"{target!r} is no URL or path of a repository", hint="give a URL, or a path")
    return target


def _shown(target: str | Path) -> str:
    return without_password(str(target))


def without_password(text: str) -> str:
    """The text with the user and password of every URL taken out."""
    return _PASSWORD.sub(r"\1", text)


def _refused(porcelain: bytes) -> dict[RefName, str]:
    """The refs that the other side refused, with the reason it gave."""
    refused = {}
    for line in porcelain.decode("utf-8", "surrogateescape").split("\n"):
        flag, *rest = line.split("\t")
        if flag == "!" and len(rest) == 2:
            refused[RefName(rest[0].partition(":")[2])] = rest[1]
    return refused


def _said(stderr: str) -> str:
    """What the other side itself said, such as the words of a hook."""
    lines = (line.removeprefix("remote:").strip() for line in stderr.splitlines() if line.startswith("remote:"))
    return "; ".join(line for line in lines if line)[:_SAID_CHARS]


def _unavailable(place: str | Path, result: Result) -> GitError:
    said = without_password(result.stderr.strip())
    if "dubious ownership" in said:
        hint = f"run as its owner, or trust it with `git config --global --add safe.directory {place}`"
        return UntrustedRepository(Path(str(place)), "it is owned by another user", hint=hint)
    return RemoteUnavailable(
        f"{_shown(place)} did not do what was asked: {said or f'exit {result.code}'}",
        hint="check the address, the network and that your git credentials work without a prompt",
    )
