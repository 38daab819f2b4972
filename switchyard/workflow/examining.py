"""Whether this machine and this repository's configuration can do the work, and what to do where they can't."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_git import GitError, Repository
from switchyard_sandbox import Enforcement

from switchyard.config import Config
from switchyard.errors import ConfigError, SwitchyardError
from switchyard.tasks import Task
from switchyard.workflow.places import Places
from switchyard.workflow.stores import target_of

SCHEMA = "switchyard.doctor/1"


@dataclass(frozen=True)
class Line:
    """One thing that was looked at. A required one that is not ok makes `doctor` exit 1."""

    name: str
    ok: bool
    detail: str
    hint: str = ""
    required: bool = True


def examine(
    repository: Repository,
    config: Config,
    places: Places,
    read_tasks: Callable[[], Sequence[Task]],
    probe: Callable[[], Sequence[Enforcement]],
    environ: Mapping[str, str],
) -> list[Line]:
    """Look at everything; what fails is a line, never an exception."""
    return [
        Line("python", True, platform.python_version()),
        _git(),
        *_probe(config, probe),
        Line("repository", True, str(repository.worktree or repository.git_dir)),
        *_shape(repository),
        _remote(repository, config),
        _tasks(read_tasks),
        _checks(config),
        _agent(config),
        Line("state", True, str(places.state)),
        Line("local forge", True, str(places.forge / "<number>.json")),
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


def _git() -> Line:
    found = shutil.which("git")
    return Line("git", bool(found), found or "not found", "" if found else "apt-get install git")


def _probe(config: Config, probe: Callable[[], Sequence[Enforcement]]) -> list[Line]:
    lenient = config.sandbox.allow_degraded
    return [
        Line(
            f"sandbox: {line.name}",
            line.enforced,
            line.how,
            line.hint,
            required=not lenient or line.name == "isolation",
        )
        for line in probe()
    ]


def _shape(repository: Repository) -> list[Line]:
    lines = []
    if repository.is_shallow:
        hint = "history is cut off; `git fetch --unshallow` brings it"
        lines.append(Line("shallow clone", True, "yes", hint, required=False))
    if repository.worktree is not None and repository.is_dirty():
        hint = "uncommitted work is not seen by tasks: they start from the base branch"
        lines.append(Line("worktree", True, "has uncommitted changes", hint, required=False))
    return lines


def _remote(repository: Repository, config: Config) -> Line:
    target, base = target_of(repository, config), config.repository.base
    try:
        heads = repository.ls_remote(target, [f"refs/heads/{base}"])
    except GitError as err:
        return Line("remote", False, str(err), err.hint)
    if not heads:
        return Line(
            "base", False, f"{target} has no branch {base!r}", "set base = … under [repository] in switchyard.toml"
        )
    return Line("base", True, f"{base} of {target} is at {next(iter(heads.values()))[:10]}")


def _tasks(read_tasks: Callable[[], Sequence[Task]]) -> Line:
    try:
        tasks = read_tasks()
    except SwitchyardError as err:
        return Line("tasks", False, str(err), err.hint)
    ready = sum(task.state == "ready" for task in tasks)
    return Line("tasks", True, f"{len(tasks)}, {ready} ready")


def _checks(config: Config) -> Line:
    names = ", ".join(config.checks)
    hint = "" if names else "without [checks] nothing proves a change; add the repository's test command"
    return Line("checks", bool(names), names or "none", hint, required=False)


def _agent(config: Config) -> Line:
    if config.agent is None and not config.agents:
        return Line("agent", False, "none", "add an [agent] table to switchyard.toml")
    return Line("agent", True, ", ".join(["default"] * (config.agent is not None) + list(config.agents)))


def _optional(environ: Mapping[str, str]) -> list[Line]:
    docker, token = shutil.which("docker"), bool(environ.get("GITHUB_TOKEN"))
    return [
        Line("docker", docker is not None, docker or "not found", required=False),
        Line("GITHUB_TOKEN", token, "set" if token else "not set", required=False),
    ]
