"""`switchyard` as a sandbox has it: `context` and its tools on the sandbox's own tree, and nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from switchyard.cli.main import USAGE, run_as_program
from switchyard.cli.render import Output
from switchyard.errors import UsageError

ALLOWED = ("context", "mcp")
ASSIGNMENT = ("TASK_ID", "ATTEMPT", "PROMPT_FILE", "WORKDIR", "CONTEXT_FILE", "MODEL")
"""What an agent finds as `SWITCHYARD_<NAME>`: it looks like configuration by environment, and is none."""


def run() -> NoReturn:
    """Run one command line, unless it needs what only the host has."""
    wanted = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    if wanted in ALLOWED:
        for name in ASSIGNMENT:
            os.environ.pop(f"SWITCHYARD_{name}", None)
        _start_warm(os.environ.pop("SWITCHYARD_DATA", ""))
        if wanted == "mcp":
            _serve()
        run_as_program()
    told = f"there is no `switchyard {wanted}` in a sandbox" if wanted else "no command given"
    hint = "see `switchyard context --help`: it answers from the tree as it is now"
    Output(as_json="--json" in sys.argv).error("usage", told, hint)
    sys.exit(USAGE)


def _serve() -> NoReturn:
    """The tools, with findings that go into the agent's own account of its work."""
    from switchyard.cli.account import add_finding
    from switchyard.cli.serving import serve

    try:
        serve(Path.cwd(), lambda finding: add_finding(Path.home() / "result.json", finding))
    except UsageError as err:
        Output().error(err.kind, str(err), err.hint)
        sys.exit(USAGE)
    sys.exit(0)


def _start_warm(seed: str) -> None:
    """Begin the sandbox's own cache with what the host knows of the tree that the work started from."""
    if not seed:
        return
    from switchyard_context import lay_seed
    from switchyard_git import GitError, Repository

    try:
        lay_seed(Path(seed), Repository.open(Path.cwd()).common_dir / "switchyard" / "cache")
    except GitError:
        # The command itself says it better.
        return


if __name__ == "__main__":
    run()
