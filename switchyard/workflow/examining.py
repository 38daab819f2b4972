"""Whether this machine and this repository's configuration can do the work, and what to do where they can't."""

from __future__ import annotations

import platform
import posixpath
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from switchyard_git import GitError, Repository
from switchyard_merge import MergeError
from switchyard_sandbox import Enforcement, SandboxError

from switchyard.agents import AgentError
from switchyard.attestation import AttestationError, HostKey
from switchyard.config import Config
from switchyard.errors import ConfigError, SwitchyardError
from switchyard.gates import in_environments
from switchyard.ledger import LedgerError
from switchyard.tasks import Task
from switchyard.workflow.channels import Webhook
from switchyard.workflow.places import Places
from switchyard.workflow.stores import Upstream

SCHEMA = "switchyard.doctor/1"
INTERPRETERS = ("sh", "bash", "python", "python3", "node")


@dataclass(frozen=True)
class Line:
    """One thing that was looked at. A required one that is not ok makes `doctor` exit 1."""

    name: str
    ok: bool
    detail: str
    hint: str = ""
    required: bool = True


@dataclass(frozen=True)
class Parts:
    """How the parts that the configuration names are had; each raises what keeps it from being had."""

    probe: Callable[[], Sequence[Enforcement]]
    agents: Callable[[], object]
    upstream: Callable[[], Upstream]
    forge: Callable[[], Sequence[Line]]
    verifiers: Callable[[], Sequence[Line]] = tuple
    """How each reviewer stands with its canaries."""


def examine(
    repository: Repository,
    config: Config,
    places: Places,
    read_tasks: Callable[[], Sequence[Task]],
    parts: Parts,
    environ: Mapping[str, str],
) -> list[Line]:
    """Look at everything; what fails is a line, never an exception."""
    base, head = _base(repository, config, parts)
    return [
        Line("python", True, platform.python_version()),
        _git(),
        *_probe(config, parts),
        Line("repository", True, str(repository.worktree or repository.git_dir)),
        *_shape(repository),
        base,
        _tasks(read_tasks),
        _checks(config),
        _agent(config, parts),
        *_missing_scripts(repository, config, head),
        *_verifiers(parts),
        *_keys(config, environ),
        *_notices(config, environ),
        *_signing(config, environ),
        Line("state", True, str(places.state)),
        *_forge(parts),
        Line("artifacts", True, str(places.artifacts / "sha256" / "<2>" / "<hex>")),
        *_optional(environ),
    ]


def configuration_line(file: Path, fault: ConfigError | None) -> Line:
    """What is wrong with the configuration; where it is, the rest is looked at with the defaults."""
    return Line("configuration", fault is None, str(fault or file), fault.hint if fault else "")


def doctor_document(lines: Sequence[Line]) -> dict[str, object]:
    """`switchyard.doctor/1`."""
    return {
        "schema": SCHEMA,
        "environment": [
            {"name": line.name, "ok": line.ok, "required": line.required, "detail": line.detail, "hint": line.hint}
            for line in lines
        ],
        "disagreements": [],
    }


def script_of(command: Sequence[str]) -> str:
    """The file of the repository that a command starts, where its words tell one; else ""."""
    word = command[0] if command else ""
    if word in INTERPRETERS:
        # What a flag such as `-u` stands before is still the script; after `-c` and `-m` comes none.
        given = takewhile(lambda one: one not in ("-c", "-m"), command[1:])
        word = next((one for one in given if not one.startswith("-")), "")
        is_file = "/" in word or bool(posixpath.splitext(word)[1])
    else:
        is_file = "/" in word
    path = posixpath.normpath(word)
    return path if is_file and not path.startswith(("/", "~", "$", "..")) and "{" not in path else ""


def _git() -> Line:
    found = shutil.which("git")
    return Line("git", bool(found), found or "not found", "" if found else "apt-get install git")


def _part(name: str, detail: str, opened: Callable[[], object]) -> Line:
    try:
        opened()
    except (SwitchyardError, AgentError) as err:
        return Line(name, False, str(err), err.hint)
    return Line(name, True, detail)


def _probe(config: Config, parts: Parts) -> list[Line]:
    lenient = config.sandbox.allow_degraded
    # Of the places to keep files in, only the one that is configured has to be there.
    unused = {f"workspace {kind}" for kind in ("disk", "memory", "copy")} - {f"workspace {config.sandbox.workspace}"}
    try:
        found = parts.probe()
    except (SwitchyardError, SandboxError) as err:
        return [Line("sandbox", False, str(err), err.hint)]
    return [
        Line(
            f"sandbox: {line.name}",
            line.enforced,
            line.how,
            line.hint,
            required=line.name not in unused and (not lenient or line.name == "isolation"),
        )
        for line in found
    ]


def _keys(config: Config, environ: Mapping[str, str]) -> list[Line]:
    """Whether the key of each model endpoint is there; `run` refuses to start without it."""
    return [
        Line(f"gateway: {name}", True, f"{table.url}, key in {table.key_env}")
        if environ.get(table.key_env)
        else Line(f"gateway: {name}", False, f"{table.key_env} is not set", f"export {table.key_env}")
        for name, table in config.gateway.items()
    ]


def _signing(config: Config, environ: Mapping[str, str]) -> list[Line]:
    """Whether statements can be signed; none is made here, and without one a run goes on."""
    if not config.evidence.sign:
        return []
    key = HostKey.of(environ, config.evidence.signing_key_env)
    if not key.variable and not key.is_made:
        return [Line("signing key", True, f"{key.path}, made when it is first needed", required=False)]
    try:
        told = f"{key.public().keyid[:16]}, {key.variable or key.path}"
    except AttestationError as err:
        return [Line("signing key", False, str(err), err.hint, required=False)]
    return [Line("signing key", True, told, required=False)]


def _notices(config: Config, environ: Mapping[str, str]) -> list[Line]:
    """Whether people outside can be told; a run goes on without."""
    notify, lines = config.notify, list[Line]()
    if notify.webhook_env:
        fault = Webhook(environ.get(notify.webhook_env, "").strip(), notify.webhook_env).fault
        told = fault or f"URL in {notify.webhook_env}"
        lines.append(Line("notify: webhook", not fault, told, f"export {notify.webhook_env}" if fault else "", False))
    if notify.command:
        found = shutil.which(notify.command[0], path=environ.get("PATH"))
        hint = "" if found else "correct command under [notify]"
        lines.append(Line("notify: command", bool(found), found or f"{notify.command[0]} not found", hint, False))
    return lines


def _shape(repository: Repository) -> list[Line]:
    lines = []
    if repository.is_shallow:
        hint = "history is cut off; `git fetch --unshallow` brings it"
        lines.append(Line("shallow clone", True, "yes", hint, required=False))
    if repository.worktree is not None and repository.is_dirty():
        hint = "uncommitted work is not seen by tasks: they start from the base branch"
        lines.append(Line("worktree", True, "has uncommitted changes", hint, required=False))
    return lines


def _base(repository: Repository, config: Config, parts: Parts) -> tuple[Line, str]:
    """Where work starts: the line, and the commit where it is known."""
    base = config.repository.base
    try:
        upstream = parts.upstream()
        target = upstream.target
        heads = upstream.let_in(repository).ls_remote(target, [f"refs/heads/{base}"])
    except (SwitchyardError, GitError, MergeError) as err:
        return Line("remote", False, str(err), err.hint), ""
    if not heads:
        hint = "set base = … under [repository] in switchyard.toml"
        return Line("base", False, f"{target} has no branch {base!r}", hint), ""
    head = next(iter(heads.values()))
    return Line("base", True, f"{base} of {target} is at {head[:10]}"), head


def _tasks(read_tasks: Callable[[], Sequence[Task]]) -> Line:
    try:
        tasks = read_tasks()
    except SwitchyardError as err:
        return Line("tasks", False, str(err), err.hint)
    ready = sum(task.state == "ready" for task in tasks)
    return Line("tasks", True, f"{len(tasks)}, {ready} ready")


def _forge(parts: Parts) -> Sequence[Line]:
    try:
        return parts.forge()
    except (SwitchyardError, MergeError) as err:
        return [Line("forge", False, str(err), err.hint)]


def _verifiers(parts: Parts) -> Sequence[Line]:
    try:
        return parts.verifiers()
    except (SwitchyardError, LedgerError) as err:
        return [Line("verifiers", False, str(err), err.hint, required=False)]


def _checks(config: Config) -> Line:
    again = in_environments(config.checks, {name: one.checks for name, one in config.environments.items()})
    names = ", ".join([*config.checks, *again])
    hint = "" if names else "without [checks] nothing proves a change; add the repository's test command"
    return Line("checks", bool(names), names or "none", hint, required=False)


def _agent(config: Config, parts: Parts) -> Line:
    if config.agent is None and not config.agents:
        return Line("agent", False, "none", "add an [agent] table to switchyard.toml")
    return _part("agent", ", ".join(["default"] * (config.agent is not None) + list(config.agents)), parts.agents)


def _missing_scripts(repository: Repository, config: Config, head: str) -> list[Line]:
    """The scripts that agents start and that tasks won't find; a set-up may make them, so that is only advice."""
    if not head or not repository.has_commit(head):
        return []
    tables = {"default": config.agent} if config.agent is not None else {}
    hint = "commit it there: tasks start from the base branch and see only what is in it"
    return [
        Line(f"agent {name}", False, f"{script} is not on {config.repository.base}", hint, required=False)
        for name, table in {**tables, **config.agents}.items()
        if (script := script_of(table.command)) and repository.read_blob(head, script) is None
    ]


def _optional(environ: Mapping[str, str]) -> list[Line]:
    docker, token = shutil.which("docker"), bool(environ.get("GITHUB_TOKEN"))
    return [
        Line("docker", docker is not None, docker or "not found", required=False),
        Line("GITHUB_TOKEN", token, "set" if token else "not set", required=False),
    ]
