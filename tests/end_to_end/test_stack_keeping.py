"""The world moves under published pull requests, and the next run puts them right: through the real command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from switchyard_git import Repository
from switchyard_merge.forge import LocalForge

from end_to_end.plot import Ending, Plot
from switchyard.ledger import connect, verify_chain
from switchyard.workflow.status import describe_execution
from switchyard.workspace import open_workspace

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Stack:
    """A diamond `a`, `b` and `c` on it, `d` on both, published; and people who touch it."""

    plot: Plot

    @property
    def forge(self) -> LocalForge:
        state = self.plot.repo / ".git" / "switchyard"
        return LocalForge(state / "forge", Repository.open(state / "factory.git"), str(self.plot.origin))

    def rows(self) -> dict[str, dict[str, Any]]:
        """Each task as the ledger's rows say, which is what `status` prints."""
        view = open_workspace(self.plot.repo, environ={}).view()
        return {task.id: describe_execution(task) for task in view.latest.values()}

    def number(self, task: str) -> int:
        return int(self.rows()[task]["pull_request"]["number"])

    def branch(self, task: str) -> str:
        return str(self.rows()[task]["branch"])

    def push(self, task: str, files: dict[str, str], *, amend: bool = False) -> str:
        """A person's commit on a published branch, or in place of its last."""
        plot = self.plot
        plot.git("fetch", "-q", "origin")
        plot.git("checkout", "-q", "--detach", f"origin/{self.branch(task)}")
        for path, text in files.items():
            plot.write(path, text)
        plot.git("add", "--", *files)
        plot.git("commit", "-q", *(["--amend"] if amend else []), "-m", "By hand")
        plot.git("push", "-q", "--force", "origin", f"HEAD:refs/heads/{self.branch(task)}")
        commit = plot.git("rev-parse", "HEAD").strip()
        plot.git("checkout", "-q", "main")
        return commit

    def squash(self, task: str) -> None:
        """A person presses the merge button, and deletes the branch."""
        number = self.number(task)
        self.forge.approve(number, by="grace")
        self.forge.merge(number, method="squash", expected_head=self.plot.branches()[task])
        self.plot.git("update-ref", "-d", f"refs/heads/{self.branch(task)}", at=self.plot.origin)

    def changes(self, task: str) -> list[str]:
        """What a reviewer sees."""
        pull = self.forge.get(self.number(task))
        listing = self.plot.git("diff", "--name-status", f"{pull.base}...{pull.head}", at=self.plot.origin)
        return [line.replace("\t", " ") for line in listing.splitlines()]

    def states(self) -> dict[str, str]:
        return {name: row["state"] for name, row in self.rows().items()}

    def expect_told(self) -> None:
        """Status, forge and remote agree on every task that stands open; the ledger is whole."""
        there = self.plot.branches()
        for name, row in self.rows().items():
            if row["state"] in ("published", "approved"):
                pull = self.forge.get(row["pull_request"]["number"])
                assert (row["head"], row["base_branch"]) == (there[name], pull.base), name
                assert row["pull_request"]["base"] == pull.base, name
        assert self.ledger_rows() > 0

    def ledger_rows(self) -> int:
        """How many there are, each found whole."""
        engine = connect(self.plot.repo / ".git" / "switchyard" / "switchyard.db", read_only=True)
        with engine.connect() as connection:
            rows = verify_chain(connection)
        engine.dispose()
        return rows

    def expect_nothing_to_do(self) -> None:
        """Another run writes nothing and pushes nothing."""
        files = sorted((self.plot.repo / ".git" / "switchyard" / "forge").glob("*.json"))
        refs, written = self.plot.branches(), [file.stat().st_mtime_ns for file in files]
        rows = self.ledger_rows()
        self.plot.run("run")
        assert self.plot.branches() == refs
        assert [file.stat().st_mtime_ns for file in files] == written
        assert self.ledger_rows() == rows


def events(ending: Ending, event_type: str) -> dict[str, Any]:
    """Task → data of the rows of a type that a run told."""
    found = [json.loads(line) for line in ending.out.splitlines()]
    return {row["task_id"]: row["data"] for row in found if row["event_type"] == event_type and row["task_id"]}


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    plot = Plot(tmp_path)
    for name, parents in {"a": "", "b": "a", "c": "a", "d": "b, c"}.items():
        plot.task(name, f"depends_on: [{parents}]")
    ended = plot.run("run")
    assert ended.code == 0, ended.err
    return Stack(plot)


@pytest.mark.slow
def test_a_run_keeps_its_pull_requests_right(stack: Stack) -> None:
    plot = stack.plot
    stack.expect_nothing_to_do()

    # A person amends the parent, and adds to a child.
    stack.push("a", {"made-by-a.txt": "amended\n"}, amend=True)
    theirs = stack.push("b", {"theirs.txt": "1\n"})
    told = events(plot.run("run", "--json"), "restacked")
    assert set(told) == {"a", "b", "c", "d"}
    assert stack.changes("b") == ["A made-by-b.txt", "A theirs.txt"]
    assert stack.changes("d") == ["A made-by-d.txt"]
    assert plot.git("show", f"{plot.branches()['d']}:made-by-a.txt", at=plot.origin) == "amended\n"
    assert plot.branches()["b"] != theirs
    stack.expect_told()

    # The base moves: nobody's branch has to.
    refs = plot.branches()
    plot.commit({"kept.txt": "kept\nand more\n"})
    assert plot.run("run").code == 0
    assert plot.branches() == refs

    # The parent is squash-merged and its branch deleted; a new task depends on it.
    stack.squash("a")
    plot.task("e", "depends_on: [a]")
    plot.task("f", "depends_on: [a, b]")
    ended = plot.run("run", "--json")
    assert (ended.code, set(events(ended, "landed"))) == (0, {"a"})
    assert stack.states() == {**dict.fromkeys("bcdef", "published"), "a": "landed"}
    rows = stack.rows()
    assert [rows[name]["base_branch"] for name in "bce"] == ["main"] * 3
    assert [stack.changes(name) for name in "cdef"] == [[f"A made-by-{name}.txt"] for name in "cdef"]
    assert {"made-by-a.txt", "made-by-b.txt"} <= set(
        plot.git("ls-tree", "--name-only", plot.branches()["f"], at=plot.origin).split()
    )
    stack.expect_told()
    stack.expect_nothing_to_do()


@pytest.mark.nightly
def test_a_closed_parent_blocks_what_stands_on_it_until_it_is_open_again(stack: Stack) -> None:
    plot = stack.plot
    number = stack.number("b")
    stack.forge.close(number)
    stack.forge.approve(stack.number("c"), by="grace")
    refs = plot.branches()
    plot.task("late", "depends_on: [d]")
    ended = plot.run("run")
    rows = stack.rows()
    assert (ended.code, plot.branches()) == (1, refs)
    assert stack.states() == {
        "a": "published", "b": "cancelled", "c": "approved", "d": "blocked"
    }  # fmt: skip
    assert rows["b"]["reason"] == f"its pull request #{number} was closed unmerged"
    assert "which is blocked" in rows["d"]["reason"]
    assert rows["d"]["pull_request"]["base"].endswith("/join-d"), "it is not retargeted"
    stack.expect_nothing_to_do()

    stack.forge.reopen(number)
    assert plot.run("run").code == 0
    assert set(stack.states().values()) == {"published", "approved"}
    assert stack.rows()["late"]["base_branch"] == stack.branch("d")


@pytest.mark.nightly
def test_stack_restack_does_the_same_by_itself(stack: Stack) -> None:
    plot = stack.plot
    stack.push("a", {"made-by-a.txt": "amended\n"}, amend=True)
    refs, rows = plot.branches(), stack.rows()
    dry = plot.run("stack", "restack", "--dry-run", "--json")
    assert (plot.branches(), stack.rows()) == (refs, rows)
    done = plot.run("stack", "restack", "--json")
    outcomes = [{row["task"]: row["outcome"] for row in one.document["pull_requests"]} for one in (dry, done)]
    assert outcomes[0] == outcomes[1] == {"a": "unchanged", **dict.fromkeys("bcd", "restacked")}
    assert done.document["stack"] == "factory/main"
    stack.expect_told()
    again = plot.run("stack", "publish", "--json")
    assert {row["outcome"] for row in again.document["pull_requests"]} == {"unchanged"}
    stack.expect_nothing_to_do()

    # Records from before there were any are made from the ledger.
    factory = plot.repo / ".git" / "switchyard" / "factory.git"
    plot.git("update-ref", "-d", "refs/switchyard/stacks/factory/main", at=factory)
    stack.push("a", {"made-by-a.txt": "again\n"}, amend=True)
    assert plot.run("run").code == 0
    assert stack.changes("d") == ["A made-by-d.txt"]
    stack.expect_told()

    # Several at once: one of them moves the branches, and nothing is lost.
    stack.push("a", {"made-by-a.txt": "thrice\n"}, amend=True)
    at_once = [plot.start(*words) for words in (("stack", "restack"), ("run",), ("stack", "restack"))]
    said = [process.communicate(timeout=240) for process in at_once]
    assert [process.returncode for process in at_once] == [0, 0, 0], said
    assert stack.changes("d") == ["A made-by-d.txt"]
    stack.expect_told()
    stack.expect_nothing_to_do()


@pytest.mark.nightly
def test_what_a_person_pushed_before_merging_it_is_not_what_was_signed(tmp_path: Path) -> None:
    plot = Plot(tmp_path)
    plot.task("a")
    assert plot.run("run").code == 0
    stack = Stack(plot)
    pushed = stack.push("a", {"theirs.txt": "theirs\n"})
    stack.squash("a")
    plot.task("b")
    assert plot.run("run").code == 0
    assert stack.states()["a"] == "landed"
    verified = plot.run("show", "a", "--verify")
    assert (verified.code, f"what landed was {pushed[:10]}" in verified.out) == (1, True), verified.out
