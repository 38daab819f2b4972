"""The files that `switchyard init` writes, filled in with what was found in the repository."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_git import Repository
from switchyard_templates import init_files

from switchyard.config.load import CONFIG_NAME, parse_config
from switchyard.config.survey import Findings, Listing, survey
from switchyard.errors import UsageError

_GITHUB = re.compile(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")


@dataclass(frozen=True)
class Proposal:
    """What to write, and what it is based on."""

    remote: str
    has_remote: bool
    base: str
    github: str
    """owner/name where the remote is on GitHub, else ""."""
    findings: Findings

    def config_text(self) -> str:
        """switchyard.toml, with comments; always a valid one."""
        from jinja2 import Environment, StrictUndefined

        # The output is TOML: HTML's escapes would be wrong in it, and every value goes through `toml`.
        environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
        environment.filters["toml"] = _toml
        template = environment.from_string(_read(CONFIG_NAME))
        found = self.findings
        text = template.render(
            remote=self.remote,
            has_remote=self.has_remote,
            base=self.base,
            github=self.github,
            setup=found.setup,
            network=list(found.network),
            env=found.env,
            checks=found.checks,
        )
        parse_config(text, Path(CONFIG_NAME))
        return text

    def files(self, tasks_folder: str, *, with_example: bool) -> dict[str, str]:
        """Every file by its path from the root."""
        files = {CONFIG_NAME: self.config_text(), f"{tasks_folder}/README.md": _read("README.md")}
        if with_example:
            files[f"{tasks_folder}/example.md"] = _read("example.md")
        return files


def propose(repository: Repository) -> Proposal:
    """Look at a repository.

    Raises:
        UsageError: It is bare or has no commits.
    """
    if repository.worktree is None:
        raise UsageError(f"{repository.git_dir} is bare and has no files to look at", hint="run this in a clone of it")
    if not repository.refs("refs/heads/") and not repository.refs("refs/remotes/"):
        raise UsageError(
            f"{repository.worktree} has no commits, and work must start from one",
            hint="commit something first, then run 'switchyard init' again",
        )
    remotes = repository.remotes()
    remote = "origin" if "origin" in remotes or not remotes else remotes[0]
    url = (repository.remote_url(remote) or "") if remotes else ""
    github = _GITHUB.search(url)
    return Proposal(
        remote=remote,
        has_remote=bool(remotes),
        base=_base(repository, remote, remotes),
        github=github[1] if github else "",
        findings=survey(Listing(repository.worktree, repository.worktree_files())),
    )


def _base(repository: Repository, remote: str, remotes: Sequence[str]) -> str:
    """The remote's default branch; else the usual name that exists; else the branch that is checked out."""
    default = repository.default_branch(remote) if remotes else None
    if default:
        return default
    head = repository.head_branch()
    usual = [name for name in ("main", "master", "trunk") if _exists(repository, name, remote)]
    if head in usual or not usual:
        return head or "main"
    return usual[0]


def _exists(repository: Repository, branch: str, remote: str) -> bool:
    return repository.branch_exists(branch) or bool(repository.refs(f"refs/remotes/{remote}/{branch}"))


def _toml(value: object) -> str:
    # JSON's strings and lists of strings are TOML's too, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read(name: str) -> str:
    return (init_files() / name).read_text(encoding="utf-8")
