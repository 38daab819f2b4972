"""Where things lie in a box, all below the home of its user: the box may have no other folder that it can write."""

from __future__ import annotations

import posixpath
import shlex
from dataclasses import dataclass

from switchyard_sandbox.contract import WORKDIR

_FOLDER = ".switchyard"


@dataclass(frozen=True)
class Place:
    """The folders of one box."""

    home: str

    @property
    def base(self) -> str:
        """Everything of ours."""
        return f"{self.home}/{_FOLDER}"

    @property
    def work(self) -> str:
        """The work tree."""
        return f"{self.base}/workspace"

    @property
    def lock(self) -> str:
        """Shared by running commands, and held alone by whoever packs the tree."""
        return f"{self.base}/run.lock"

    @property
    def measured(self) -> list[str]:
        """The folders that the limit on the disk holds for."""
        return [self.home, "/tmp"]  # noqa: S108

    def inbox(self, name: str) -> str:
        """Where a `put` file stands."""
        return f"{self.base}/inbox/{name}"

    def command(self, number: str) -> str:
        """The folder of one command."""
        return f"{self.base}/exec/{number}"

    def inside(self, verb: str, *arguments: str) -> str:
        """A shell's command line for the program in the box."""
        program = f"{self.base}/lib/switchyard_sandbox/daytona/inside.py"
        return shlex.join(("python3", "-I", "-S", program, verb, *arguments))

    def resolve(self, cwd: str) -> str:
        """Where a folder that is named as in every other box lies in this one."""
        if cwd == WORKDIR or cwd.startswith(WORKDIR + "/"):
            return self.work + cwd.removeprefix(WORKDIR)
        return posixpath.join(self.work, cwd)
