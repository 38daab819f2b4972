"""`switchyard init`: the first files of a repository that Switchyard works on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.render import Output
from switchyard.errors import UsageError

if TYPE_CHECKING:
    from switchyard.config.proposal import Proposal

SCHEMA = "switchyard.init/1"

Force = Annotated[bool, typer.Option("--force", help="Write switchyard.toml anew; tasks are never overwritten.")]


def register(app: typer.Typer) -> None:
    """Hang `init` on the root command."""
    app.command("init")(init)


def init(
    force: Force = False, repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Write switchyard.toml and a folder for tasks.

    What they say comes from a look at the repository. Files that exist are kept.
    """
    from switchyard_git import Repository

    from switchyard.config.proposal import propose

    output = Output(as_json, quiet, verbose)
    repository = Repository.open(repo if repo is not None else Path.cwd())
    proposal = propose(repository)
    assert repository.worktree is not None
    written, kept = _write(repository.worktree, proposal, force=force)
    output.document(_document(proposal, written, kept), _lines(written, kept))
    for warning in proposal.findings.warnings:
        output.warning(warning)
    output.note(_advice(proposal))


def _write(root: Path, proposal: Proposal, *, force: bool) -> tuple[list[str], list[str]]:
    """Write what is not there yet. Returns the paths written and the paths kept."""
    from switchyard.config import CONFIG_NAME, TasksConfig, load_config
    from switchyard.tasks.load import task_files
    from switchyard.tasks.store import write_atomically

    config = root / CONFIG_NAME
    has_config = config.exists() and not force
    folder = load_config(config).tasks.path if has_config else TasksConfig().path
    files = proposal.files(folder, with_example=not task_files(root / folder))
    kept = [path for path in files if (root / path).exists() and not (force and root / path == config)]
    written = [path for path in files if path not in kept]
    done: list[Path] = []
    try:
        # The configuration comes last: where it stands, everything else does.
        for path in reversed(written):
            write_atomically(root / path, files[path])
            done.append(root / path)
    except UsageError:
        for file in done:
            file.unlink()
        raise
    return written, kept


def _document(proposal: Proposal, written: list[str], kept: list[str]) -> dict[str, Any]:
    found = proposal.findings
    return {
        "schema": SCHEMA,
        "written": written,
        "kept": kept,
        "remote": proposal.remote if proposal.has_remote else None,
        "base": proposal.base,
        "languages": dict(found.languages),
        "setup": list(found.setup),
        "setup_network": list(found.network),
        "checks": dict(found.checks),
        "warnings": list(found.warnings),
    }


def _lines(written: list[str], kept: list[str]) -> str:
    return "\n".join([*(f"wrote {path}" for path in written), *(f"kept {path}" for path in kept)])


def _advice(proposal: Proposal) -> str:
    found = proposal.findings
    counts = ", ".join(f"{count} {name}" for name, count in list(found.languages.items())[:5]) or "no source"
    checks = "; ".join(f"{name}: {command}" for name, command in found.checks.items()) or "none"
    return (
        f"found {counts} files; base {proposal.base}; checks {checks}\n"
        "next: look at switchyard.toml, set [agent], write a task with 'switchyard task add' and approve it, "
        "then 'switchyard plan'"
    )
