"""The real repository behind the pull requests, by plain git: an oracle that shares no code with what is tested."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_WHO = {
    "GIT_AUTHOR_NAME": "GitHub", "GIT_AUTHOR_EMAIL": "noreply@example.org",
    "GIT_COMMITTER_NAME": "GitHub", "GIT_COMMITTER_EMAIL": "noreply@example.org",
    "GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip


@dataclass(frozen=True)
class Bare:
    """A bare repository."""

    path: Path

    def heads(self) -> dict[str, str]:
        """Branches and where they are."""
        rows = self._git("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads").splitlines()
        pairs = (row.split(" ", 1) for row in rows)
        return {name.removeprefix("refs/heads/"): sha for sha, name in pairs}

    def is_clean(self, base: str, head: str) -> bool:
        """Whether two commits merge without conflict."""
        return self._run("merge-tree", "--write-tree", base, head).returncode == 0

    def land(self, method: str, base_branch: str, head: str, message: str) -> str:
        """Merge a commit into a branch, as GitHub does; the commit that the branch is at then."""
        base = self.heads()[base_branch]
        made = self._rebased(base, head) if method == "rebase" else self._merged(method, base, head, message)
        self._git("update-ref", f"refs/heads/{base_branch}", made, base)
        return made

    def delete(self, branch: str) -> None:
        """Remove a branch."""
        self._git("update-ref", "-d", f"refs/heads/{branch}")

    def _merged(self, method: str, base: str, head: str, message: str) -> str:
        tree = self._git("merge-tree", "--write-tree", base, head)
        parents = [base] if method == "squash" else [base, head]
        return self._git("commit-tree", tree, *(word for one in parents for word in ("-p", one)), "-m", message)

    def _rebased(self, base: str, head: str) -> str:
        with tempfile.TemporaryDirectory(prefix="rebase-") as folder:
            place = Path(folder) / "clone"
            self._git("clone", "--quiet", "--shared", "--no-checkout", str(self.path), str(place))
            inside = Bare(place)
            inside._git("checkout", "--quiet", "--detach", head)
            inside._git("rebase", "--quiet", base)
            made = inside._git("rev-parse", "HEAD")
            self._git("fetch", "--quiet", str(place), made)
            return made

    def _git(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode:
            raise AssertionError(f"git {' '.join(arguments)}: {done.stderr}")
        return done.stdout.strip()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return subprocess.run(
            ("git", "-C", str(self.path), *arguments), env=kept | _WHO, capture_output=True, text=True, check=False
        )
