"""Remotes and configuration of a repository, read with GitPython; the only module that uses it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from switchyard_git.errors import GitError, InvalidName
from switchyard_git.plumbing import Plumbing

if TYPE_CHECKING:
    from git import Repo


@dataclass(frozen=True)
class Remotes(Plumbing):
    """Verbs over remotes and configuration."""

    def remotes(self) -> list[str]:
        """The names of the remotes."""
        with _opened(self.common_dir) as repo:
            return sorted(remote.name for remote in repo.remotes)

    def remote_url(self, name: str) -> str | None:
        """The URL that a remote is fetched from, as configured; None where there is no such remote."""
        return self.setting(f'remote "{name}"', "url")

    def setting(self, section: str, option: str) -> str | None:
        """A value of the repository's own configuration; a section with a subsection is written `remote "origin"`."""
        with _opened(self.common_dir) as repo, repo.config_reader("repository") as reader:
            if not reader.has_option(section, option):
                return None
            return str(reader.get_value(section, option))

    def default_branch(self, remote: str) -> str | None:
        """The branch that the remote's HEAD named when it was cloned; None where that is not recorded."""
        prefix = f"refs/remotes/{remote}/"
        result = self._run("symbolic-ref", "--quiet", f"{prefix}HEAD")
        name = result.stdout.decode().strip()
        return name.removeprefix(prefix) if not result.code and name.startswith(prefix) else None


def _opened(git_dir: Path) -> Repo:
    # Imported late: it takes 0.3 s, and most commands ask for no remote.
    from git import Repo
    from git.exc import GitError as GitPythonError

    try:
        return Repo(git_dir, expand_vars=False)
    except (GitPythonError, OSError, ValueError) as err:
        raise GitError(f"the configuration of {git_dir} cannot be read: {err}", hint="repair its config file") from err


def checked_name(name: str) -> str:
    """A remote's name that no command takes for an option."""
    if not name or name.startswith("-"):
        raise InvalidName(f"{name!r} is no name of a remote", hint="list the remotes with `git remote`")
    return name
