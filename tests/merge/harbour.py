"""A published stack that lands, with checks that read the files they are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stage import STACK, Stage
from switchyard_git import CommitSha, TreeSha
from switchyard_merge.forge import LocalForge
from switchyard_merge.land import LandedStack, Lander
from switchyard_merge.readiness import LandingRules
from switchyard_merge.verdicts import LandingRecord, Verdict

EIGHT = {f"t{number}": ([], [{f"f{number}": "1\n"}]) for number in range(8)}
"""Pull requests that stand beside one another."""

Suite = Callable[[Mapping[str, str]], str]
"""What is wrong with the files; empty: nothing."""


def nothing_wrong(files: Mapping[str, str]) -> str:
    return ""


@dataclass
class Checks:
    """A checker that notes what it was asked."""

    stage: Stage
    suite: Suite = nothing_wrong
    trees: list[TreeSha] = field(default_factory=list)
    green: set[TreeSha] = field(default_factory=set)
    flakes: int = 0
    """How many of the next checks are red whatever the files."""
    meanwhile: list[Callable[[], object]] = field(default_factory=list)
    """What happens during the next checks, one each."""

    def __call__(self, commit: CommitSha) -> Verdict:
        tree = self.stage.yard.factory.tree_of(commit)
        self.trees.append(tree)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        said = self.suite(self.stage.files(commit))
        if self.flakes:
            self.flakes -= 1
            said = said or "the network was away"
        if not said:
            self.green.add(tree)
        return Verdict(not said, said)


def approve(stage: Stage, *tasks: str) -> None:
    for task in tasks or stage.numbers:
        stage.approve(task)


def watch_main(stage: Stage) -> None:
    """Have the origin remember every commit that a branch pointed at."""
    with (stage.yard.origin.git_dir / "config").open("a") as config:
        config.write("[core]\n\tlogAllRefUpdates = always\n")


def trees_of_main(stage: Stage) -> list[TreeSha]:
    """The trees that main has pointed at since `watch_main`."""
    log = stage.yard.origin.git_dir / "logs/refs/heads/main"
    commits = [line.split()[1] for line in log.read_text().splitlines()] if log.exists() else []
    return [stage.yard.origin.tree_of(commit) for commit in commits]


def lander(
    stage: Stage, checks: Checks, *, forge: Any = None, pauses: list[float] | None = None, **rules: Any
) -> Lander:
    keeper = stage.keeper()
    if forge is not None:
        keeper = type(keeper)(keeper.repository, forge, keeper.target, keeper.who)
    chosen = LandingRules(**rules)
    batches = stage.forge if chosen.batch > 1 and isinstance(stage.forge, LocalForge) else None
    waited = pauses if pauses is not None else []
    return Lander(keeper, checks, chosen, batches=batches, pause=waited.append)


def land(stage: Stage, checks: Checks, **rules: Any) -> LandedStack:
    return lander(stage, checks, **rules).land(STACK)


def names(told: LandedStack) -> list[str]:
    return [one.branch.rpartition("/")[2] for one in told.landed]


def ejected(told: LandedStack) -> dict[str, str]:
    """Task → the task because of which it was ejected; empty for a culprit."""
    return {one.branch.rpartition("/")[2]: one.because_of.rpartition("/")[2] for one in told.ejected}


def journal(stage: Stage) -> LandingRecord:
    found = LandingRecord.load(stage.yard.factory, STACK)
    assert found is not None
    return found[0]


def new_files(stage: Stage) -> dict[str, str]:
    return {path: text for path, text in stage.files(stage.main()).items() if path not in "abc"}


def red_with(*paths: str) -> Any:
    """Wrong as soon as all of these are there."""
    return lambda files: f"{' and '.join(paths)} do not work" if set(paths) <= set(files) else ""
