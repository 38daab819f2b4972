"""The same stacks kept on GitHub's wire, pushed over HTTP, judged by the repository behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fakes.github.fixtures import github, github_service
from fakes.github.ground import Ground
from fakes.github.stacking import Stacking
from harbour import watch_main
from stage import Stage, Watched, branch
from switchyard_git import CommitSha, RefName, RefUpdate, Repository
from switchyard_merge.forge import MergeMethod, PullRequest
from switchyard_merge.keep import Keeper
from test_keeping import (
    CHAIN,
    test_a_base_that_moved_alone_moves_nothing,
    test_a_conflict_blocks_the_branch_and_what_stands_on_it_and_names_both,
    test_a_persons_push_to_a_join_is_not_overwritten,
    test_m05_a_squashed_parent_leaves_the_childs_diff_as_it_was,
    test_m06_a_child_that_edits_the_squashed_lines_does_not_conflict,
    test_m07_a_file_that_the_child_deleted_stays_deleted,
    test_m08_a_rebased_parent_leaves_no_commit_twice,
    test_m09_after_a_merge_commit_nothing_is_replayed,
    test_m10_an_amended_parent_moves_each_descendant_once,
    test_m12_the_join_of_a_diamond_is_no_longer_needed,
    test_m16_a_closed_parent_blocks_what_stands_on_it,
    test_m20_m21_a_persons_push_is_kept_and_built_on,
    test_m22_one_stale_branch_of_a_push_keeps_all_where_they_are,
    test_m38_with_nothing_to_do_nothing_is_written,
)
from yard import LONG, WHO, Yard

pytestmark = pytest.mark.slow
__all__ = [
    "github", "github_service", "test_a_base_that_moved_alone_moves_nothing",
    "test_a_conflict_blocks_the_branch_and_what_stands_on_it_and_names_both",
    "test_a_persons_push_to_a_join_is_not_overwritten", "test_m05_a_squashed_parent_leaves_the_childs_diff_as_it_was",
    "test_m06_a_child_that_edits_the_squashed_lines_does_not_conflict",
    "test_m07_a_file_that_the_child_deleted_stays_deleted", "test_m08_a_rebased_parent_leaves_no_commit_twice",
    "test_m09_after_a_merge_commit_nothing_is_replayed", "test_m10_an_amended_parent_moves_each_descendant_once",
    "test_m12_the_join_of_a_diamond_is_no_longer_needed", "test_m16_a_closed_parent_blocks_what_stands_on_it",
    "test_m20_m21_a_persons_push_is_kept_and_built_on", "test_m22_one_stale_branch_of_a_push_keeps_all_where_they_are",
    "test_m38_with_nothing_to_do_nothing_is_written",
]  # fmt: skip


@dataclass
class GitHubStage(Stage):
    """A stack on a GitHub of our own."""

    github: Ground = None  # type: ignore[assignment]

    def keeper(self) -> Keeper:
        return Keeper(self.yard.factory, self.watched, self.github.url, WHO)

    def approve(self, task: str) -> None:
        self.github.review(self.numbers[task], "APPROVE")

    def comments(self, task: str) -> list[str]:
        told = self.github.comments(self.numbers[task])
        return [re.sub(r"\A<!-- switchyard:comment [^>]* -->\n", "", one) for one in told]

    def land(self, task: str, method: MergeMethod = "squash", *, delete: bool = False) -> PullRequest:
        self.github.proxy.mending.deletes_on_merge = delete
        return super().land(task, method)


@pytest.fixture
def stage(github: Ground, tmp_path: Path) -> GitHubStage:
    factory = Repository.init_bare(tmp_path / "factory.git").with_access(github.access())
    yard = Yard(factory, github.repository, CommitSha(""))
    base = yard.commit(None, {"a": LONG, "b": LONG, "c": LONG})
    main = RefName("refs/heads/main")
    factory.push(github.url, [RefUpdate(main, base, github.repository.refs(main)[main])])
    forge = github.forge()
    stage = GitHubStage(replace(yard, base=base), forge, Watched(forge), github=github)  # type: ignore[arg-type]
    watch_main(stage)
    return stage


def test_m17_a_child_that_lost_its_base_is_opened_again_on_another(stage: GitHubStage) -> None:
    stage.publish(CHAIN)
    old = stage.tip("a")
    stage.land("a")
    stage.delete(branch("a"))
    assert stage.pull("b").state == "closed"
    stage.keep()
    assert (stage.pull("b").state, stage.bases()) == ("open", {"b": "main", "c": "b"})
    assert stage.diff("b") == {"fb": "A"}
    assert stage.at(branch("a")) == old


def test_m18_what_github_retargets_itself_is_only_restacked(stage: GitHubStage) -> None:
    stage.publish(CHAIN)
    stage.land("a", delete=True)
    kept = stage.keep()
    assert stage.watched.writes == []
    assert kept.pushed == (branch("b"), branch("c"))
    assert (stage.bases(), stage.diff("b")) == ({"b": "main", "c": "b"}, {"fb": "A"})


def test_chains_are_stacks_of_githubs_where_that_is_wanted(stage: GitHubStage) -> None:
    stage.github.proxy.stacking = stacks = Stacking(stage.github.proxy.mending)
    stage.publish({**CHAIN, "x": ([], [{"fx": "1"}]), "y": (["x"], [{"fy": "1"}]), "z": (["x"], [{"fz": "1"}])})
    stage.keep()
    assert stacks.stacks == []
    wanting = replace(stage.keeper(), forge=stage.github.forge(native_stacks=True))
    stage.github.faults.clear()
    for _ in range(2):
        wanting.keep("r")
        assert stacks.stacks == [[stage.numbers[task] for task in "abc"]]
    assert [request.path.rpartition("/")[2] for request in stage.github.faults.writes] == ["stacks"]


def test_keeping_is_few_requests(stage: GitHubStage) -> None:
    stage.publish(CHAIN)
    stage.land("a")
    stage.github.faults.clear()
    stage.keeper().keep("r")
    assert [request.method for request in stage.github.faults.writes] == ["PATCH"]
    assert len(stage.github.faults.reads) <= 5
    stage.github.faults.clear()
    stage.keeper().keep("r")
    assert stage.github.faults.writes == []
