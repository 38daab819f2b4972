"""`stack publish FILE`, `stack restack` and `stack status` on branches that people made, without a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from switchyard_git import Repository
from switchyard_merge.forge import LocalForge

from cli.conftest import Ending, Shell, git

DIAMOND = """\
base: main
branches:
  top: [feature/api, feature/web]
  feature/web: [feature/model]
  feature/api: [feature/model]
  feature/model:
    title: The model
    body: What it holds.
"""


@dataclass(frozen=True)
class Town:
    """A person's repository with a bare remote, and branches in it."""

    shell: Shell
    origin: Path

    @property
    def forge(self) -> LocalForge:
        state = self.shell.folder / ".git" / "switchyard"
        return LocalForge(state / "forge", Repository.open(state / "factory.git"), str(self.origin))

    def branch(self, name: str, on: str, files: Mapping[str, str]) -> str:
        """A branch with one commit; it is left checked out."""
        self.shell.git("switch", "--quiet", "--force-create", name, on)
        return self.commit(f"Work on {name}", files)

    def commit(self, message: str, files: Mapping[str, str]) -> str:
        for path, text in files.items():
            self.shell.write(path, text)
        self.shell.git("add", "--all")
        self.shell.git("commit", "--quiet", "-m", message)
        return self.shell.git("rev-parse", "HEAD").strip()

    def publish(self, text: str = DIAMOND) -> Ending:
        file = self.shell.folder.parent / "town.yaml"
        file.write_text(text)
        return self.shell.run("stack", "publish", file, "--json")

    def there(self) -> dict[str, str]:
        """The remote's branches."""
        lines = git(self.origin, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        return dict(line.split() for line in lines.splitlines())

    def bases(self) -> dict[str, str]:
        return {pull.head: pull.base for pull in self.forge.list() if pull.state == "open"}

    def changes(self, name: str) -> str:
        """What a reviewer of a published branch sees."""
        base = self.bases()[name]
        return git(self.origin, "diff", "--name-status", f"{base}...{name}").strip().replace("\t", " ")

    def written(self) -> dict[str, int]:
        """When each pull request was written last."""
        forge = self.shell.folder / ".git" / "switchyard" / "forge"
        return {file.name: file.stat().st_mtime_ns for file in forge.glob("*.json")}

    def own(self) -> tuple[str, str, str]:
        """Everything of the person's that must stay as it is."""
        refs = self.shell.git("for-each-ref", "refs/heads", "refs/tags", "refs/stash")
        return refs, self.shell.git("status", "--porcelain"), self.shell.git("rev-parse", "HEAD")


@pytest.fixture
def town(shell: Shell, tmp_path: Path) -> Town:
    origin = tmp_path / "the origin.git"
    shell.commit({"kept": "kept\n"})
    shell.git("branch", "-M", "main")
    git(tmp_path, "init", "--quiet", "--bare", "-b", "main", str(origin))
    shell.git("remote", "add", "origin", str(origin))
    shell.git("push", "--quiet", "origin", "main")
    found = Town(shell, origin)
    found.branch("feature/model", "main", {"model": "1\n"})
    found.branch("feature/web", "feature/model", {"web": "1\n"})
    found.branch("feature/api", "feature/model", {"api": "1\n"})
    found.branch("top", "feature/api", {"top": "1\n"})
    shell.git("switch", "--quiet", "main")
    return found


def outcomes(ending: Ending) -> dict[str, str]:
    assert ending.code == 0, ending
    return {row["task"]: row["outcome"] for row in ending.document["pull_requests"]}


def error(ending: Ending) -> tuple[int, str]:
    return ending.code, ending.document["error"]["message"]


@pytest.mark.slow
def test_a_persons_branches_become_a_stack_that_is_kept_right(town: Town) -> None:
    town.shell.git("checkout", "--quiet", "--detach", "feature/api")
    town.shell.write("kept", "dirty\n")
    before = town.own()

    first = town.publish()
    assert outcomes(first) == dict.fromkeys(("feature/model", "feature/api", "feature/web", "top"), "opened")
    assert town.own() == before
    assert town.bases() == {
        "factory/town/feature-model": "main",
        "factory/town/feature-api": "factory/town/feature-model",
        "factory/town/feature-web": "factory/town/feature-model",
        "factory/town/top": "factory/town/join-top",
    }
    assert set(town.there()) == {*town.bases(), "factory/town/join-top", "main"}
    assert town.changes("factory/town/top") == "A top"
    model = town.forge.get(1)
    assert (model.title, "What it holds." in model.body, "#4" in model.body) == ("The model", True, True)
    updates = {row["task"]: row["update"] for row in first.document["pull_requests"]}
    assert updates["feature/api"] is None
    assert updates["top"] == "git fetch origin +factory/town/top:top"

    refs, written = town.there(), town.written()
    assert set(outcomes(town.publish()).values()) == {"unchanged"}
    assert (town.there(), town.written()) == (refs, written), "there was nothing to do"

    # A parent is amended in the person's own repository.
    town.shell.git("switch", "--quiet", "--force", "feature/model")
    town.shell.write("model", "2\n")
    town.shell.git("commit", "--quiet", "--all", "--amend", "-m", "The model, better")
    told = outcomes(town.publish())
    assert told == dict.fromkeys(told, "restacked")
    assert town.there()["factory/town/feature-model"] == town.shell.git("rev-parse", "feature/model").strip()
    assert [town.changes(f"factory/town/{name}") for name in ("feature-api", "feature-web", "top")] == [
        "A api",
        "A web",
        "A top",
    ]
    assert set(outcomes(town.publish()).values()) == {"unchanged"}, "an old local branch throws no restack away"

    # A child goes on from where it still stood before that.
    town.shell.git("switch", "--quiet", "feature/web")
    town.commit("More", {"web": "2\n"})
    assert outcomes(town.publish())["feature/web"] == "restacked"
    assert git(town.origin, "show", "factory/town/feature-web:web") == "2\n"
    assert git(town.origin, "show", "factory/town/feature-web:model") == "2\n"

    # The parent is squash-merged and its branch deleted.
    forge = town.forge
    forge.approve(1, by="grace")
    forge.merge(1, method="squash", expected_head=town.there()["factory/town/feature-model"])
    git(town.origin, "update-ref", "-d", "refs/heads/factory/town/feature-model")
    refs, written = town.there(), town.written()
    dry = town.shell.run("stack", "restack", "town", "--dry-run", "--json")
    assert (town.there(), town.written()) == (refs, written)
    done = town.shell.run("stack", "restack", "town", "--json")
    assert (
        outcomes(dry)
        == outcomes(done)
        == dict.fromkeys(("feature/api", "feature/web", "top"), "restacked") | {"feature/model": "landed"}
    )
    assert {**town.bases(), "factory/town/top": ""} == {
        "factory/town/feature-api": "main",
        "factory/town/feature-web": "main",
        "factory/town/top": "",
    }
    assert town.changes("factory/town/feature-web") == "A web"
    assert set(outcomes(town.publish()).values()) == {"unchanged"}, "what has landed is not published again"
    assert len(forge.list()) == 4


def test_status_tells_what_each_waits_for(town: Town) -> None:
    town.publish()
    forge = town.forge
    forge.approve(1, by="grace")
    forge.record_check(1, "unit", "passed")
    forge.record_check(2, "unit", "failed")
    forge.request_changes(3, by="grace")
    git(town.origin, "update-ref", "refs/heads/factory/town/feature-model", town.shell.git("rev-parse", "main").strip())
    git(town.origin, "update-ref", "refs/heads/factory/town/feature-model", pushed(town))
    ending = town.shell.run("stack", "status", "--json")
    rows: dict[str, Any] = {row["task"]: row for row in ending.document["pull_requests"]}
    waits = {task: [wait["kind"] for wait in row["waits_for"]] for task, row in rows.items()}
    assert waits == {
        "feature/model": [],
        "feature/api": ["parent", "restack", "review", "checks"],
        "feature/web": ["parent", "restack", "review"],
        "top": ["parent", "parent", "restack", "review"],
    }
    assert [rows["feature/web"][key] for key in ("review", "checks", "title")] == [
        "changes_requested",
        {},
        "Work on feature/web",
    ]
    drawn = town.shell.run("stack", "status").out
    assert "#1 feature/model  · approved, waits for" not in drawn
    assert "waits for parent #1; a restack: `switchyard stack restack town`" in drawn and "red checks: unit" in drawn


def pushed(town: Town) -> str:
    """A colleague's commit on the published parent."""
    town.shell.git("fetch", "--quiet", "origin")
    town.shell.git("switch", "--quiet", "--detach", "feature/model")
    commit = town.commit("Theirs", {"theirs": "1\n"})
    town.shell.git("push", "--quiet", "origin", "HEAD:refs/heads/factory/town/feature-model")
    town.shell.git("switch", "--quiet", "main")
    return commit


def test_a_colleagues_commit_is_never_pushed_over(town: Town) -> None:
    town.publish()
    theirs = pushed(town)
    assert outcomes(town.publish())["feature/model"] == "unchanged"
    assert git(town.origin, "show", "factory/town/top:theirs") == "1\n", "it is restacked upon"
    town.shell.git("switch", "--quiet", "feature/model")
    town.commit("Mine", {"mine": "1\n"})
    refs = town.there()
    code, message = error(town.publish())
    assert (code, theirs in message, "lacks" in message) == (1, True, True)
    assert town.there() == refs
    town.shell.git("rebase", "--quiet", theirs)
    assert outcomes(town.publish())["feature/model"] == "restacked"
    assert git(town.origin, "log", "--format=%s", "main..factory/town/feature-model").split("\n")[:2] == [
        "Mine",
        "Theirs",
    ]


@pytest.mark.slow
def test_two_stacks_hold_one_branch_and_one_is_taken_out(town: Town) -> None:
    town.publish()
    second = town.publish("name: other\nbranches: {feature/model: [], feature/web: [feature/model]}")
    assert [row["left_out"] for row in second.document["pull_requests"]] == [False, False]
    rows = town.shell.run("stack", "status", "--json").document["pull_requests"]
    assert [row["waits_for"][0]["reason"] for row in rows] == [
        "review", "parent #1", "parent #1", "parent #2", "review", "parent #5",
    ]  # fmt: skip
    vague = town.shell.run("stack", "approve", "feature/model", "--json")
    assert error(vague) == (
        2,
        "'feature/model' may mean #1 from factory/town/feature-model or #5 from factory/other/feature-model",
    )
    assert town.shell.run("stack", "approve", "#1", "factory/other/feature-model").code == 0

    # The second stack's upper branch is taken out of its file: told until its pull request is closed.
    shorter = "name: other\nbranches: {feature/model: []}"
    told = town.publish(shorter)
    assert outcomes(told) == {"feature/model": "unchanged", "feature/web": "unchanged"}
    assert {row["task"]: row["left_out"] for row in told.document["pull_requests"]} == {
        "feature/model": False,
        "feature/web": True,
    }
    assert "feature/web is not in the file any more, and its pull request #6 stays" in told.err
    town.forge.close(6)
    ended = town.publish(shorter)
    assert (outcomes(ended), "stays" in ended.err) == ({"feature/model": "unchanged"}, False)
    assert set(outcomes(town.shell.run("stack", "restack", "other", "--json"))) == {"feature/model"}


@pytest.mark.slow
def test_where_a_branch_that_a_person_took_over_begins_is_remembered(town: Town) -> None:
    """Commits of a parent that is no longer like that are never taken for the child's own."""
    shell = town.shell
    town.publish()

    def amend_the_published_model(text: str) -> None:
        shell.git("switch", "--quiet", "--detach", "feature/model")
        shell.write("model", text)
        shell.git("commit", "--quiet", "--all", "--amend", "-m", f"The model as {text.strip()}")
        shell.git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/factory/town/feature-model")
        assert outcomes(shell.run("stack", "restack", "town", "--json"))["feature/web"] == "restacked"

    amend_the_published_model("2\n")
    shell.git("fetch", "--quiet", "origin", "+factory/town/feature-web:feature/web")
    assert set(outcomes(town.publish()).values()) == {"unchanged"}
    amend_the_published_model("3\n")
    shell.git("switch", "--quiet", "feature/web")
    town.commit("More", {"web": "2\n"})
    assert outcomes(town.publish())["feature/web"] == "restacked"
    assert git(town.origin, "log", "--format=%s", "main..factory/town/feature-web").splitlines() == [
        "More",
        "Work on feature/web",
        "The model as 3",
    ]


def test_a_publishing_that_ended_before_its_pull_requests_goes_on_there(town: Town) -> None:
    obstacle = town.shell.folder / ".git" / "switchyard" / "forge"
    obstacle.parent.mkdir()
    obstacle.write_text("no folder")
    code, message = error(town.publish())
    assert (code, "forge" in message) == (1, True)
    assert len(town.there()) == 6, "the branches were pushed"
    obstacle.unlink()
    assert set(outcomes(town.publish()).values()) == {"opened"}
    assert set(outcomes(town.publish()).values()) == {"unchanged"}
    assert [pull.title for pull in town.forge.list()] == [
        "The model",
        "Work on feature/api",
        "Work on feature/web",
        "Work on top",
    ]


@pytest.mark.slow
def test_a_branch_that_is_halfway_to_the_published_one_takes_nothing_back(town: Town) -> None:
    """It is neither what was published from it nor what is published now, but held by that."""
    town.publish()
    shell = town.shell
    halfway = pushed(town)
    shell.git("switch", "--quiet", "--detach", halfway)
    town.commit("Theirs, too", {"web": "theirs\n"})
    shell.git("push", "--quiet", "origin", "HEAD:refs/heads/factory/town/feature-model")
    kept = {
        row["task"]: row["outcome"] for row in shell.run("stack", "restack", "town", "--json").document["pull_requests"]
    }
    shell.git("branch", "--force", "feature/model", halfway)
    before, written = town.there(), town.written()
    rows = {row["task"]: row for row in town.publish().document["pull_requests"]}
    assert [rows["feature/model"][key] for key in ("outcome", "update")] == [
        "unchanged",
        "git fetch origin +factory/town/feature-model:feature/model",
    ]
    # Nothing of theirs is new, so what colleagues brought about is told, and not refused.
    assert kept["feature/web"] == rows["feature/web"]["outcome"] == "blocked"
    assert (town.there(), town.written()) == (before, written)


def test_what_cannot_be_a_stack_is_refused_before_any_push(town: Town) -> None:
    shell = town.shell
    town.branch("clash", "main", {"model": "other\n"})
    town.branch("empty", "main", {"x": "1\n"})
    shell.git("reset", "--quiet", "--hard", "main")
    shell.git("switch", "--quiet", "main")
    refused = {
        "branches: {feature/api: [feature/model], feature/model: [feature/api]}": (2, "in a circle"),
        "branches: {feature/api: [nowhere]}": (2, "unknown dependency"),
        "branches: {feature/modle: []}": (2, "did you mean 'feature/model'"),
        "branches:\n  top: []\n  top: []\n": (2, "'top' is there twice"),
        "branches: {feature/api: [feature/model], feature/model: []}\nbases: main\n": (2, "bases"),
        "branches: {feature/model: [], clash: []}": (1, "conflict: clash and feature/model in model"),
        "branches: {feature/model: [], clash: [], both: [feature/model, clash]}": (2, "no local branch 'both'"),
        "branches: {empty: []}": (1, "no commit of its own"),
        "branches: {feature/model: []}\nbase: gone\n": (1, "no branch gone"),
        "branches: [": (2, "not valid YAML"),
        "branches: {feature/model: main}": (2, "branches.feature/model: is neither a mapping nor a list"),
        "branches: {feature/model: {parents: top}}": (2, "branches.feature/model.parents: is no list"),
        "- top": (2, "is no mapping"),
        "branches: {2026: []}": (2, "branches.2026: is no text: put it in quotes"),
        "name: x.lock\nbranches: {top: []}": (2, "no name for a stack"),
        "name: a/b\nbranches: {top: []}": (2, "no name for a stack"),
    }
    for text, (code, words) in refused.items():
        found = error(town.publish(text))
        assert (found[0], words in found[1]) == (code, True), (text, found)
    town.branch("both", "feature/model", {"both": "1\n"})
    code, message = error(town.publish("branches: {feature/model: [], clash: [], both: [feature/model, clash]}"))
    assert (code, "what it stands on" in message, "model" in message) == (1, True, True)
    assert set(town.there()) == {"main"}
    assert town.written() == {}
    assert error(shell.run("stack", "restack", "nobody", "--json"))[0] == 2


def test_a_bare_repository_without_a_remote_publishes_into_itself(town: Town, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(town.shell.folder), str(bare))
    git(bare, "remote", "remove", "origin")
    file = tmp_path / "town.yaml"
    file.write_text(DIAMOND)
    told = outcomes(town.shell.run("stack", "publish", file, "--repo", bare, "--json"))
    assert set(told.values()) == {"opened"}
    assert git(bare, "diff", "--name-only", "factory/town/join-top...factory/town/top") == "top\n"


def test_a_published_branch_that_a_person_has_checked_out_is_left_alone(town: Town, tmp_path: Path) -> None:
    shell = town.shell
    shell.git("remote", "remove", "origin")
    assert town.publish().code == 0
    shell.git("switch", "--quiet", "feature/model")
    town.commit("More", {"model": "2\n"})
    shell.git("switch", "--quiet", "factory/town/top")
    before = town.own()
    code, message = error(town.publish())
    assert (code, "factory/town/top" in message, "checked out" in message) == (1, True, True)
    assert town.own() == before
    shell.git("switch", "--quiet", "main")
    assert outcomes(town.publish())["top"] == "restacked"
    assert shell.git("diff", "--name-only", "factory/town/join-top...factory/town/top") == "top\n"
