"""The demo's backlog, played with plain git and the scripted agent: what the factory must arrive at is possible."""

from __future__ import annotations

import itertools
import os
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml
from switchyard_templates import (
    EXPECTED,
    EXPECTED_ATTEMPTS,
    EXPECTED_BASES,
    DemoRepository,
    FolderTaken,
    lay_out_demo,
)

WHO = {"NAME": "Test", "EMAIL": "test@localhost", "DATE": "2026-03-02T10:00:00Z"}


def run(*argv: str, cwd: Path) -> tuple[int, str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C.UTF-8"}
    environment |= {f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in WHO.items()}
    done = subprocess.run(
        argv, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    return done.returncode, done.stdout


def git(*arguments: str, cwd: Path) -> str:
    code, output = run("git", *arguments, cwd=cwd)
    assert code == 0, f"git {' '.join(arguments)}: {output}"
    return output.strip()


def tasks_of(demo: DemoRepository) -> dict[str, Mapping[str, Any]]:
    """Each task's front matter by its id."""
    found = {}
    for file in sorted((demo.repo / ".switchyard" / "tasks").glob("*.md")):
        front = yaml.safe_load(file.read_text(encoding="utf-8").split("---\n")[1])
        assert front["id"] == file.stem
        found[front["id"]] = front
    return found


@dataclass
class Played:
    """The backlog after the agent has worked on all of it: a branch a task."""

    demo: DemoRepository
    attempts: dict[str, int] = field(default_factory=dict)
    failures: dict[str, list[str]] = field(default_factory=dict)

    @property
    def published(self) -> list[str]:
        return [task for task, state in EXPECTED.items() if state == "published"]

    def checks(self, where: Path) -> str:
        """What the first failing check said; "" when all pass."""
        config = tomllib.loads((self.demo.repo / "switchyard.toml").read_text(encoding="utf-8"))
        for command in config["checks"].values():
            code, output = run("sh", "-c", command, cwd=where)
            if code:
                return output
        return ""

    def play(self, task: str, parents: list[str], where: Path) -> None:
        git("worktree", "add", "--quiet", "-b", task, str(where), parents[0] if parents else "main", cwd=self.demo.repo)
        for parent in parents[1:]:
            git("merge", "--quiet", "--no-edit", parent, cwd=where)
        self.failures[task] = []
        for attempt in itertools.count(1):
            code, output = run("sh", ".agents/apply.sh", task, str(attempt), cwd=where)
            assert code == 0, output
            git("add", "--all", cwd=where)
            git("commit", "--quiet", "--message", f"{task} {attempt}", cwd=where)
            self.attempts[task] = attempt
            failure = self.checks(where)
            if not failure:
                return
            self.failures[task].append(failure)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    top = tmp_path_factory.mktemp("demo")
    played = Played(lay_out_demo(top / "laid out"))
    graph = {task: front.get("depends_on", []) for task, front in tasks_of(played.demo).items()}
    for task in TopologicalSorter(graph).static_order():
        played.play(task, graph[task], top / task)
    return played


def test_the_same_commits_are_laid_out_each_time(tmp_path: Path) -> None:
    heads = {git("rev-parse", "main", cwd=lay_out_demo(tmp_path / name).repo) for name in ("one", "two")}
    assert len(heads) == 1


def test_the_clone_is_clean_and_follows_the_bare_origin(tmp_path: Path) -> None:
    demo = lay_out_demo(tmp_path / "demo")
    assert git("status", "--porcelain", "--branch", cwd=demo.repo) == "## main...origin/main"
    assert git("remote", "get-url", "origin", cwd=demo.repo) == str(demo.origin)
    assert git("rev-parse", "--is-bare-repository", cwd=demo.origin) == "true"
    assert git("rev-list", "--count", "main", cwd=demo.origin) == "2"


def test_a_relative_folder_gets_an_origin_that_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    demo = lay_out_demo(Path("demo"))
    assert git("remote", "get-url", "origin", cwd=tmp_path / demo.repo) == str(tmp_path / "demo" / "origin.git")


def test_the_laid_out_branch_passes_its_own_checks(tmp_path: Path) -> None:
    played = Played(lay_out_demo(tmp_path / "demo"))
    assert played.checks(played.demo.repo) == ""
    assert git("status", "--porcelain", cwd=played.demo.repo) == ""


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious", encoding="utf-8")
    with pytest.raises(FolderTaken, match="not an empty folder") as refusal:
        lay_out_demo(tmp_path)
    assert refusal.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_what_is_expected_covers_the_backlog(played: Played) -> None:
    assert set(tasks_of(played.demo)) == set(EXPECTED) == set(EXPECTED_ATTEMPTS)
    assert set(EXPECTED_BASES) == set(played.published)


def test_bases_follow_from_what_tasks_depend_on(played: Played) -> None:
    for task, base in EXPECTED_BASES.items():
        match tasks_of(played.demo)[task].get("depends_on", []):
            case []:
                assert base == "main"
            case [parent]:
                assert base == parent
            case _:
                assert base == f"join-{task}"


def test_the_agent_needs_the_attempts_that_are_expected(played: Played) -> None:
    assert played.attempts == dict(EXPECTED_ATTEMPTS)


def test_the_repaired_task_fails_its_own_new_test_first(played: Played) -> None:
    [failure] = played.failures["money-split"]
    assert "test_the_parts_add_up_to_the_whole" in failure


def test_one_task_alone_edits_an_existing_test_and_does_so_to_hide_a_fault(played: Played, tmp_path: Path) -> None:
    repo = played.demo.repo
    edited = {}
    for task in EXPECTED:
        changed = git("diff", "--name-only", "--diff-filter=MD", f"main...{task}", cwd=repo).splitlines()
        edited[task] = [path for path in changed if "/tests/" in path]
    assert {task for task, paths in edited.items() if paths} == {"money-rounding"}
    git("worktree", "add", "--quiet", "--detach", str(tmp_path / "honest"), "money-rounding", cwd=repo)
    git("checkout", "main", "--", *edited["money-rounding"], cwd=tmp_path / "honest")
    assert "test_large_sums_stay_exact" in played.checks(tmp_path / "honest")


def test_no_two_published_branches_conflict(played: Played) -> None:
    for one, other in itertools.combinations(played.published, 2):
        git("merge-tree", "--write-tree", one, other, cwd=played.demo.repo)


def test_everything_published_passes_the_checks_together(played: Played, tmp_path: Path) -> None:
    git("worktree", "add", "--quiet", "--detach", str(tmp_path / "all"), "main", cwd=played.demo.repo)
    for task in played.published:
        git("merge", "--quiet", "--no-edit", task, cwd=tmp_path / "all")
    assert played.checks(tmp_path / "all") == ""


def test_the_check_of_imports_finds_what_is_not_exported(tmp_path: Path) -> None:
    demo = lay_out_demo(tmp_path / "demo")
    page = demo.repo / "packages/storefront/src/basketPage.ts"
    page.write_text(page.read_text(encoding="utf-8").replace("{ basketSummary }", "{ basketSumary }"), encoding="utf-8")
    code, output = run("python3", "scripts/check_imports.py", cwd=demo.repo)
    assert (code, output) == (1, "packages/storefront/src/basketPage.ts: @tidewater/ui does not export basketSumary\n")


def test_the_agent_refuses_what_is_not_scripted(tmp_path: Path) -> None:
    demo = lay_out_demo(tmp_path / "demo")
    code, output = run("sh", ".agents/apply.sh", "rates-age", "2", cwd=demo.repo)
    assert code == 1
    assert "nothing is scripted for attempt 2 at rates-age" in output
