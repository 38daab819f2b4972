"""A plot whose remote is a GitHub of our own: the real command line, real git over HTTP, `emulate` for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fakes.github.ground import Ground

from end_to_end.plot import CONFIG, Plot

FORGE = """
[forge]
kind = "github"
base_url = "{api}"
"""
DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}


class GitHubPlot(Plot):
    """A worktree whose `origin` is a repository on GitHub; the token is in the environment of the command."""

    def __init__(
        self, folder: Path, github: Ground, agents: Mapping[str, str] | None = None, *, forge: str = ""
    ) -> None:
        self.github = github
        self.extra: dict[str, str] = {"GITHUB_TOKEN": "tok_owner"}
        super().__init__(folder, agents, {"switchyard.toml": CONFIG + FORGE.format(api=github.proxy.address) + forge})
        self.git("push", "-q", str(github.repository.git_dir), "+HEAD:main")
        self.git("remote", "set-url", "origin", github.url)
        self.origin = github.repository.git_dir

    @property
    def env(self) -> dict[str, str]:
        """A clean environment, and what lets us in."""
        return super().env | self.extra

    def diamond(self, *front: str) -> None:
        """Four tasks: a, b and c on it, d on both."""
        for name, parents in DIAMOND.items():
            self.task(name, f"depends_on: [{', '.join(parents)}]", *front)

    def pulls(self) -> dict[str, Mapping[str, Any]]:
        """The pull requests as the service keeps them, by the last part of their branch; none may share one."""
        found = {pull["head"]["ref"].rpartition("/")[2]: pull for pull in self.github.pulls()}
        assert len(found) == len(self.github.pulls()), "two pull requests from one branch"
        return found

    def bases(self) -> dict[str, str]:
        """Task → the last part of its pull request's base."""
        return {task: str(pull["base"]["ref"]).rpartition("/")[2] for task, pull in self.pulls().items()}

    def files_with(self, secret: str) -> list[Path]:
        """The files below the plot, the state folder and `.git/config` included, that hold a text."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        return [path for path in files if secret.encode() in path.read_bytes()]
