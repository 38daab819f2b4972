"""The forge of a configuration: where its branches are, who lets us in, and the driver that talks to it.

Part of the composition root: `connect` picks from a literal dict. Nothing is asked of anybody before it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from switchyard_git import Access, Repository, without_password

from switchyard.config import Config
from switchyard.errors import UsageError
from switchyard.workflow.stores import Upstream, target_of
from switchyard.workspace import Workspace

if TYPE_CHECKING:
    from switchyard_merge.forge import Forge
    from switchyard_merge.forge.github import Calls, GitHubAddress, Tokens, Waiting

    from switchyard.workflow.examining import Line

    OnWait = Callable[[Waiting], None]

_MARGIN = timedelta(days=1)
"""How far clocks, ours and the forge's, may be apart."""
_BY_HAND = 'set repository = "owner/name" under [forge]'


@dataclass(frozen=True)
class Connection:
    """One forge, as a configuration has it."""

    upstream: Upstream
    open: Callable[[Repository], Forge]
    """The driver, over the factory repository."""
    check: Callable[[], None]
    """Raises ForgeRefused where we are not let in, or may not do what a run needs; ForgeUnavailable: no answer."""
    examine: Callable[[], Sequence[Line]]
    """What `doctor` says about it; never raises."""


def connect(workspace: Workspace, environ: Mapping[str, str], on_wait: OnWait | None = None) -> Connection:
    """The forge of the configuration.

    Args:
        environ: Where tokens and keys are looked up.
        on_wait: Told, from any thread, before the forge is waited for; None: whom the workspace names.

    Raises:
        UsageError: What is configured does not fit: the repository, its remote, the App's key.
        ForgeRefused: A library is not installed, or GITHUB_TOKEN holds no token.
    """
    return _FORGES[workspace.config.forge.kind](workspace, environ, on_wait or workspace.on_wait)


def _connect_local(workspace: Workspace, environ: Mapping[str, str], on_wait: OnWait) -> Connection:
    target = target_of(workspace.repository, workspace.config)

    def open_driver(quarantine: Repository) -> Forge:
        from switchyard_merge.forge import LocalForge

        return LocalForge(workspace.places.forge, quarantine, target)

    def examine() -> list[Line]:
        from switchyard.workflow.examining import Line

        return [Line("local forge", True, str(workspace.places.forge / "<number>.json"))]

    return Connection(Upstream(target), open_driver, lambda: None, examine)


def _connect_github(workspace: Workspace, environ: Mapping[str, str], on_wait: OnWait) -> Connection:
    from switchyard_merge.forge.github import Calls, GitHubForge

    address = github_address(workspace)
    tokens = _tokens(workspace.config, address, environ)
    calls = Calls(address, tokens, on_wait=on_wait)
    stacks = workspace.config.forge.native_stacks

    def open_driver(quarantine: Repository) -> Forge:
        return GitHubForge(calls, since=_first_use(workspace), native_stacks=stacks)

    return Connection(
        Upstream(address.clone_url, Access(address.host_url, tokens.token, renew=tokens.renew)),
        open_driver,
        lambda: _check_github(calls),
        lambda: _examine_github(calls, tokens),
    )


def github_address(workspace: Workspace) -> GitHubAddress:
    """The repository on GitHub that a configuration and a remote mean; git goes there over HTTPS, with the token.

    Raises:
        UsageError: They name none, or two.
    """
    from switchyard_merge.forge.github import GitHubAddress

    forge, remote = workspace.config.forge, workspace.config.repository.remote
    url = workspace.repository.remote_url(remote) if remote else None
    if url is None:
        if not forge.repository:
            missing = f"there is no remote {remote!r}" if remote else "no remote is configured"
            raise UsageError(
                f"{missing} that says which repository on GitHub is meant",
                hint=f"git remote add {remote or 'origin'} https://github.com/OWNER/NAME, or {_BY_HAND}",
            )
        return GitHubAddress.parse(forge.repository, api_url=forge.base_url)
    named = _named(remote, url)
    meant = GitHubAddress.parse(forge.repository or named.full_name, api_url=forge.base_url)
    _refuse_other_host(remote, url, named, meant, is_named=bool(forge.repository))
    if meant.full_name.casefold() != named.full_name.casefold():
        raise UsageError(
            f"[forge] repository is {meant.full_name}, and remote {remote!r} leads to {named.full_name}",
            hint='correct one of them; with remote = "" under [repository] the first counts alone',
        )
    return meant


def _named(remote: str, url: str) -> GitHubAddress:
    from switchyard_merge import ForgeRefused
    from switchyard_merge.forge.github import GitHubAddress

    is_path = "://" not in url and ":" not in url.split("/", 1)[0]
    try:
        # A path may look like the bare `owner/name` of a repository.
        return GitHubAddress.parse(f"file://{url}" if is_path else url)
    except ForgeRefused as err:
        raise UsageError(
            f"remote {remote!r} ({without_password(url)}) is no repository on GitHub",
            hint=f'give it a GitHub URL; or {_BY_HAND} and remote = "" under [repository]',
        ) from err


def _refuse_other_host(remote: str, url: str, named: GitHubAddress, meant: GitHubAddress, *, is_named: bool) -> None:
    """A token is for one host, and for no other that a remote happens to lead to."""
    theirs, ours = urlsplit(named.host_url).hostname, urlsplit(meant.host_url).hostname
    # SSH's own configuration may call a host by any name.
    is_alias = is_named and not url.startswith(("https://", "http://"))
    if theirs != ours and not is_alias:
        raise UsageError(
            f"remote {remote!r} ({without_password(url)}) is on {theirs}, and the forge is {ours}",
            hint=f'an Enterprise server: base_url = "{named.api_url}" under [forge]; an alias of SSH\'s: {_BY_HAND}',
        )


def _tokens(config: Config, address: GitHubAddress, environ: Mapping[str, str]) -> Tokens:
    from switchyard_merge.forge.github import AppInstallation, choose_tokens

    forge = config.forge

    def open_app() -> Tokens:
        key = _private_key(config, environ)
        return AppInstallation(address, str(forge.app_id), key, installation_id=forge.installation_id)

    return choose_tokens(address, environ, app=open_app if forge.app_id is not None else None)


def _private_key(config: Config, environ: Mapping[str, str]) -> str:
    forge = config.forge
    if forge.private_key_env:
        key = environ.get(forge.private_key_env, "")
        if not key.strip():
            raise UsageError(
                f"GitHub App {forge.app_id}: the environment has no {forge.private_key_env}",
                hint=f"export {forge.private_key_env} with the App's private key, in PEM",
            )
        return key
    try:
        return Path(forge.private_key_file).expanduser().read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError, RuntimeError) as err:
        raise UsageError(
            f"GitHub App {forge.app_id}: no private key can be read from {forge.private_key_file}",
            hint="correct private_key_file under [forge], and who may read that file",
        ) from err


def _first_use(workspace: Workspace) -> datetime:
    """A moment before anything that this state folder can have opened: older pull requests are not looked at."""
    made = (workspace.places.factory / "config").stat().st_mtime
    runs = [datetime.fromisoformat(run.started) for run in workspace.view().runs.values()]
    return min([datetime.fromtimestamp(made, UTC), *runs]) - _MARGIN


def _check_github(calls: Calls) -> None:
    from switchyard_merge import ForgeRefused
    from switchyard_merge.forge.github import check_token

    found = check_token(calls)
    if found.problems:
        raise ForgeRefused("; ".join(found.problems), hint="`switchyard doctor` tells what the token may do")


def _examine_github(calls: Calls, tokens: Tokens) -> list[Line]:
    from switchyard_merge import MergeError
    from switchyard_merge.forge.github import check_token, is_bound, ruleset_advice

    from switchyard.workflow.examining import Line

    place = f"{calls.address.full_name}, {calls.address.api_url}"
    try:
        found = check_token(calls)
        bound = not found.problems and is_bound(calls)
    except MergeError as err:
        return [Line("github", False, f"{place}: {err}", err.hint)]
    if found.problems:
        return [Line("github", False, problem, f"the token is from {tokens.origin}") for problem in found.problems]
    says = "is set" if bound else "not found: the token could push outside of factory/**, were it stolen"
    return [
        Line("github", True, f"{place}; token from {tokens.origin}"),
        *(Line("github token", True, tokens.origin, advice, required=False) for advice in found.advice),
        Line("github ruleset", bound, says, "" if bound else ruleset_advice(calls.address), required=False),
    ]


_FORGES: dict[str, Callable[[Workspace, Mapping[str, str], OnWait], Connection]] = {
    "local": _connect_local,
    "github": _connect_github,
}
