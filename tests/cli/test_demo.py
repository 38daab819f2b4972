"""`switchyard demo` as a user types it, and what it leaves behind when asked to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from switchyard_templates import EXPECTED, EXPECTED_BASES

"""How long the demo may take on two cores."""


@dataclass(frozen=True)
class Typed:
    code: int
    stdout: str
    stderr: str


def switchyard(*arguments: str, home: Path) -> Typed:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "TMPDIR": str(home)}
    argv = (sys.executable, "-m", "switchyard.cli.main", *arguments)
    done = subprocess.run(argv, cwd=home, env=environment, capture_output=True, text=True, timeout=200)
    return Typed(done.returncode, done.stdout, done.stderr)


def git(*arguments: str, cwd: Path, **more: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "GIT_CONFIG_GLOBAL": "/dev/null", **more}
    done = subprocess.run(("git", *arguments), cwd=cwd, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@dataclass(frozen=True)
class Kept:
    """A demo that was run with `--keep`."""

    typed: Typed
    folder: Path

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.typed.stdout))

    def branches(self) -> dict[str, str]:
        """Every factory branch in the origin, by the last part of its name."""
        lines = git("for-each-ref", "--format=%(refname)", "refs/heads/factory", cwd=self.folder / "origin.git")
        return {ref.rpartition("/")[2]: ref for ref in lines.splitlines()}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    home = tmp_path_factory.mktemp("home")
    folder = home / "the demo"
    yield Kept(switchyard("demo", "--json", "--keep", str(folder), home=home), folder)


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious", encoding="utf-8")
    typed = switchyard("demo", "--keep", ".", home=tmp_path)
    assert (typed.code, typed.stdout) == (2, "")
    assert "not an empty folder" in typed.stderr
    assert "hint: " in typed.stderr
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "precious"


def test_a_repository_of_ones_own_is_refused_with_a_hint(tmp_path: Path) -> None:
    typed = switchyard("demo", "--repo", ".", "--json", home=tmp_path)
    assert typed.code == 2
    assert json.loads(typed.stdout)["error"]["hint"].startswith("drop --repo")


@pytest.mark.sandbox
def test_it_ends_as_it_must(kept: Kept) -> None:
    assert kept.typed.code == 0, kept.typed.stderr
    assert kept.document["differences"] == []
    assert {task["id"]: task["state"] for task in kept.document["tasks"]} == dict(EXPECTED)


@pytest.mark.sandbox
def test_pull_requests_stand_on_the_right_branches(kept: Kept) -> None:
    bases = {pull["task"]: pull["base"].rpartition("/")[2] for pull in kept.document["pull_requests"]}
    assert bases == dict(EXPECTED_BASES)
    joins = {pull["task"]: pull["join"] for pull in kept.document["pull_requests"] if pull["join"]}
    assert set(joins) == {"checkout-receipt"}


@pytest.mark.sandbox
def test_only_published_branches_and_the_join_are_in_the_origin(kept: Kept) -> None:
    published = {task for task, state in EXPECTED.items() if state == "published"}
    assert set(kept.branches()) == published | {"join-checkout-receipt"}


@pytest.mark.sandbox
def test_each_head_holds_the_edits_of_its_ancestors_and_its_own(kept: Kept) -> None:
    repo, branches = kept.folder / "repo", kept.branches()
    for task in EXPECTED_BASES:
        expected = tree_of_edits(repo, with_ancestors(repo, task))
        assert git("rev-parse", f"{branches[task]}^{{tree}}", cwd=kept.folder / "origin.git") == expected, task


@pytest.mark.sandbox
def test_the_clone_is_left_clean_on_its_branch(kept: Kept) -> None:
    assert git("status", "--porcelain", "--branch", cwd=kept.folder / "repo").startswith("## main...origin/main")
    assert len(git("status", "--porcelain", cwd=kept.folder / "repo")) == 0


@pytest.mark.nightly
@pytest.mark.sandbox
def test_people_get_a_table_and_a_drawing_and_nothing_is_left(tmp_path: Path) -> None:
    typed = switchyard("demo", "--quiet", home=tmp_path)
    assert typed.code == 0, typed.stderr
    assert typed.stderr == ""
    assert all(task in typed.stdout for task in EXPECTED)
    assert "⇠ also #" in typed.stdout
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("switchyard-")] == []


def with_ancestors(repo: Path, task: str) -> list[str]:
    """The task after everything it stands on, each once."""
    front = yaml.safe_load((repo / f".switchyard/tasks/{task}.md").read_text(encoding="utf-8").split("---\n")[1])
    before = [name for parent in front.get("depends_on", []) for name in with_ancestors(repo, parent)]
    return [*dict.fromkeys(before), task]


def tree_of_edits(repo: Path, tasks: list[str]) -> str:
    """The tree that plain git makes of the base and the scripted patches of these tasks."""
    index = {"GIT_INDEX_FILE": str(repo.parent / "index")}
    git("read-tree", "main", cwd=repo, **index)
    for task in tasks:
        for patch in sorted((repo / ".agents" / "edits" / task).glob("*.patch")):
            git("apply", "--cached", str(patch), cwd=repo, **index)
    return git("write-tree", cwd=repo, **index)
