"""Whether two stacked tasks on a repository end alike in every kind of sandbox, and how long each kind's run takes.

    python -m benchmarks.sandbox_repository REPOSITORY [--kind KIND]…

Daytona is the tests' stand-in; Docker takes the engine of `.ci/docker-engine`. Nothing is changed in the repository:
each kind works on a clone of its own, beside a bare origin. It needs Python files and a README, which the tasks change.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

_KINDS = ("embedded", "docker", "daytona")
_CONFIG = """
[agent]
kind = "command"
command = ["sh", ".agents/edit.sh", "{task_id}"]
[sandbox]
memory_mb = 1024
timeout_minutes = 10
allow_degraded = true
[checks]
compiles = "git ls-files -z '*.py' | xargs -0 python3 -m py_compile"
noted = "test -x notes/first.txt"
[forge]
kind = "local"
"""
_AGENT = """set -eu
case $1 in
first)
    mkdir notes
    echo "kept by $1" > notes/first.txt
    chmod 755 notes/first.txt
    echo "See notes." >> "$(ls | grep -i '^readme' | head -n 1)"
    folder=$(git ls-files '*/*.py' | cut -d / -f 1 | sort | uniq -c | sort -n | awk 'NR == 1 { print $2 }')
    mv "$folder" "moved-$folder"
    ;;
second)
    echo "read by $1" >> notes/first.txt
    ln -s first.txt notes/link
    printf 'caf\\303\\251\\000' > notes/bytes
    rm "$(git ls-files '*.py' | tail -n 1)"
    ;;
esac
"""
_TASK = """---
id: {name}
title: The {name} of two
state: ready
depends_on: [{parents}]
allow: [tests]
---
Change what the script says.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Print one JSON document; exits with 1 when two kinds differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("repository", type=Path, metavar="REPOSITORY")
    parser.add_argument("--kind", action="append", choices=_KINDS, help="compare these; default: embedded and daytona")
    options = parser.parse_args(argv)
    kinds = options.kind or ["embedded", "daytona"]
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        runs = {kind: _run(options.repository.absolute(), Path(folder) / kind, kind) for kind in kinds}
    ends = [(run["trees"], run["pull_requests"]) for run in runs.values()]
    are_alike = all(end == ends[0] for end in ends) and len(ends[0][0]) == 2
    json.dump({"alike": are_alike, "load": os.getloadavg()[0], **runs}, sys.stdout, indent=2)
    print()
    return 0 if are_alike else 1


def _run(repository: Path, folder: Path, kind: str) -> dict[str, Any]:
    """A run of both tasks: each branch's tree, the pull requests, the boxes that are left, and the seconds it took."""
    repo = _lay_out(repository, folder)
    with ExitStack() as stack:
        options, env = _options(kind, stack)

        def switchyard(*words: str) -> str:
            argv = (sys.executable, "-m", "switchyard.cli.main", *words)
            environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", **env}
            done = subprocess.run(argv, cwd=repo, env=environ, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{kind}: {words} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr}")
            return done.stdout

        began = time.monotonic()
        switchyard("run", "--quiet", "--json", *options)
        taken = time.monotonic() - began
        left = json.loads(switchyard("sandbox", "list", "--json", *options[:2]))["sandboxes"]
        pulls = json.loads(switchyard("stack", "status", "--json"))["pull_requests"]
    lines = _git(folder / "origin.git", "for-each-ref", "--format=%(refname:lstrip=-1) %(tree)", "refs/heads/factory")
    return {
        "wall_s": round(taken, 1),
        "files": len(_git(repo, "ls-files").splitlines()),
        "sandboxes_left": len(left),
        "trees": dict(line.split(" ") for line in lines.splitlines()),
        "pull_requests": sorted(
            (pull["task"], *(str(pull[end]).rpartition("/")[2] for end in ("head", "base"))) for pull in pulls
        ),
    }


def _options(kind: str, stack: ExitStack) -> tuple[tuple[str, ...], dict[str, str]]:
    """The flags that name a kind of sandbox, and the environment that leads to its service."""
    if kind == "docker":
        return ("--sandbox", kind, "--image", "switchyard-test"), {"DOCKER_HOST": os.environ["DOCKER_HOST"]}
    if kind == "daytona":
        # The stand-in belongs to the tests; it is imported as they do.
        sys.path.append(str(Path(__file__).parent.parent / "tests"))
        from fakes.daytona.checking import KEY
        from fakes.daytona.standin import StandIn

        service = StandIn()
        stack.callback(service.close)
        stack.callback(service.check)
        return ("--sandbox", kind, "--image", "debian:12"), {"DAYTONA_API_KEY": KEY, "DAYTONA_API_URL": service.url}
    return ("--sandbox", kind), {}


def _lay_out(repository: Path, folder: Path) -> Path:
    """A clone with the two tasks committed on `main`, and its bare origin."""
    origin, repo = folder / "origin.git", folder / "repo"
    folder.mkdir()
    _git(folder, "clone", "--quiet", str(repository), str(repo))
    _git(repo, "remote", "remove", "origin")
    _git(repo, "checkout", "--quiet", "-B", "main")
    files = {
        "switchyard.toml": _CONFIG,
        ".agents/edit.sh": _AGENT,
        ".switchyard/tasks/first.md": _TASK.format(name="first", parents=""),
        ".switchyard/tasks/second.md": _TASK.format(name="second", parents="first"),
    }
    for name, text in files.items():
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text(text)
    _git(repo, "add", "--force", "--", *files)
    _git(repo, "commit", "--quiet", "-m", "Two tasks")
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    _git(repo, "remote", "add", "origin", str(origin))
    _git(repo, "push", "--quiet", "--set-upstream", "origin", "main")
    return repo


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=B", "-c", "user.email=b@example.org")
    when = {"GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000"}
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", **when}
    return subprocess.run(("git", *who, *words), cwd=folder, env=env, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
