"""Remotes and configuration of a repository, read with GitPython; the only module that uses it.

Its parser is given the file itself, since GitPython's `Repo` follows the GIT_* variables that we drop everywhere.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from switchyard_git.errors import GitError
from switchyard_git.plumbing import Plumbing

if TYPE_CHECKING:
    from git.config import GitConfigParser

_REMOTE = re.compile(r'^remote "(.+)"$')


@dataclass(frozen=True)
class Remotes(Plumbing):
    """Verbs over remotes and configuration."""

    def remotes(self) -> list[str]:
        """The names of the remotes."""
        sections = (_REMOTE.match(section) for section in self._configuration().sections())
        return sorted(found[1] for found in sections if found)

    def remote_url(self, name: str) -> str | None:
        """The URL that a remote is fetched from, as configured; None where there is no such remote."""
        return self.setting(f'remote "{name}"', "url")

    def remote_push_url(self, name: str) -> str | None:
        """The URL that a remote is pushed to, which may differ from where it is fetched."""
        return self.setting(f'remote "{name}"', "pushurl") or self.remote_url(name)

    def setting(self, section: str, option: str) -> str | None:
        """A value of the repository's own configuration; a section with a subsection is written `remote "origin"`."""
        values = _values(self._configuration(), section, option)
        return values[0] if values else None

    def default_branch(self, remote: str) -> str | None:
        """The branch that the remote's HEAD named when it was cloned; None where that is not recorded."""
        prefix = f"refs/remotes/{remote}/"
        result = self._run("symbolic-ref", "--quiet", f"{prefix}HEAD")
        name = result.stdout.decode("utf-8", "surrogateescape").strip()
        return name.removeprefix(prefix) if not result.code and name.startswith(prefix) else None

    def _configuration(self) -> GitConfigParser:
        # Imported late: it takes 0.3 s, and most commands ask for no remote.
        from git.config import GitConfigParser

        file = self.common_dir / "config"
        try:
            parser = GitConfigParser([str(file)], read_only=True, merge_includes=self.trusted)
            parser.read()
        except (OSError, ValueError, configparser.Error) as err:
            raise GitError(
                f"{file} cannot be read: {err}", hint="repair the file; `git config --list` shows where"
            ) from err
        return parser


def _values(parser: GitConfigParser, section: str, option: str) -> Sequence[str]:
    if not parser.has_section(section) or not parser.has_option(section, option):
        return []
    return [str(value) for value in parser.get_values(section, option)]
