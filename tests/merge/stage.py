"""A published stack on a local forge, and the people who move the world around it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from switchyard_git import CommitSha, RefName, RefUpdate, Repository
from switchyard_merge import (
    BranchUpdate,
    Joined,
    Marker,
    Plan,
    PullRequestText,
    join_of,
    open_or_adopt,
    push_branches,
    render_body,
)
from switchyard_merge.forge import LocalForge, MergeMethod, NewPullRequest, PullRequest
from switchyard_merge.keep import Keeper, Kept
from switchyard_merge.record import RecordedBranch, StackRecord, Stand
from yard import WHO, Yard

Edits = Mapping[str, str | None]
STACK = "r"


def branch(task: str) -> str:
    return f"factory/r/{task}"


def join(task: str) -> str:
    return f"factory/r/join-{task}"


def task_of(name: str) -> str:
    return name.rpartition("/")[2]


class Watched:
    """A forge that notes every write, and may be killed before or after one of them."""

    def __init__(self, inner: LocalForge) -> None:
        self.kind = inner.kind
        self.inner = inner
        self.writes: list[tuple[str, int]] = []

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.inner, name)
        if name not in ("open", "edit", "close", "reopen", "comment", "merge"):
            return call

        def watched(*given: Any, **named: Any) -> Any:
            self.writes.append((name, given[0] if isinstance(given[0], int) else 0))
            return call(*given, **named)

        return watched


@dataclass
class Stage:
    """One stack `r` whose branches are `factory/r/<task>`."""

    yard: Yard
    forge: LocalForge
    watched: Watched
    numbers: dict[str, int] = field(default_factory=dict)

    @classmethod
    def open(cls, yard: Yard, place: Path) -> Stage:
        forge = LocalForge(place / "forge", yard.factory, yard.origin.git_dir)
        return cls(yard, forge, Watched(forge))

    def copied(self, here: Path, to: Path) -> Stage:
        """The same stage once more, to be changed by itself.

        Args:
            here: The folder that this one lies in.
        """
        for name in ("factory.git", "origin.git", "forge"):
            shutil.copytree(here / name, to / name)
        yard = Yard(Repository.open(to / "factory.git"), Repository.open(to / "origin.git"), self.yard.base)
        copy = Stage.open(yard, to)
        copy.numbers |= self.numbers
        return copy

    def publish(self, tasks: Mapping[str, tuple[Sequence[str], Sequence[Edits]]]) -> None:
        """Make, push and record branches: each task's parents, and one commit for each of its edits."""
        factory, recorded = self.yard.factory, dict[str, RecordedBranch]()
        updates, opened = list[BranchUpdate](), list[tuple[str, str]]()
        for task in Plan.of({task: parents for task, (parents, _) in tasks.items()}).order:
            parents, edits = tasks[task]
            grounds = tuple(recorded[branch(one)].aim.tip for one in parents) or (self.main(),)
            joined = join_of(factory, grounds, who=WHO)
            assert isinstance(joined, Joined)
            tip = joined.commit
            for number, edit in enumerate(edits):
                tip = self.yard.commit(tip, edit, at=len(updates) * 10 + number)
            stand = Stand(tip, joined.commit, grounds, tuple(branch(one) for one in parents))
            recorded[branch(task)] = RecordedBranch((stand,), join(task) if len(parents) > 1 else "")
            base = branch(parents[0]) if parents else "main"
            if len(parents) > 1:
                base = join(task)
                updates.append(BranchUpdate(base, joined.commit, None))
            updates.append(BranchUpdate(branch(task), tip, None))
            opened.append((task, base))
        push_branches(factory, self.yard.origin.git_dir, updates)
        StackRecord(STACK, "main", recorded).save(factory, None)
        for task, base in opened:
            body = render_body(PullRequestText(Marker(task, "r", "0"), task, f"Do {task}."))
            pull = open_or_adopt(self.forge, NewPullRequest(task, body, branch(task), base))
            self.numbers[task] = pull.number

    def keeper(self) -> Keeper:
        return Keeper(self.yard.factory, self.watched, self.yard.origin.git_dir, WHO)

    def keep(self) -> Kept:
        """Keep the stack, and see that a second time finds nothing to do."""
        kept = self.keeper().keep(STACK)
        self.expect_nothing_to_do()
        return kept

    def expect_nothing_to_do(self) -> None:
        before, refs, objects = len(self.watched.writes), self.yard.origin.refs(), self.record()
        again = self.keeper().keep(STACK)
        assert (self.watched.writes[before:], again.steps, again.pushed) == ([], (), ())
        assert self.yard.origin.refs() == refs
        assert self.record() == objects

    def record(self) -> StackRecord:
        found = StackRecord.load(self.yard.factory, STACK)
        assert found is not None
        return found[0]

    def land(self, task: str, method: MergeMethod = "squash", *, delete: bool = False) -> PullRequest:
        """Press the merge button."""
        merged = self.forge.merge(self.numbers[task], method=method, expected_head=self.tip(task))
        if delete:
            self.delete(branch(task))
        return merged

    def approve(self, task: str) -> None:
        self.forge.approve(self.numbers[task], by="grace")

    def comments(self, task: str) -> list[str]:
        """The comments on a pull request as people read them, oldest first."""
        return list(self.forge.comments(self.numbers[task]).values())

    def amend(self, task: str, edits: Edits, *, onto: CommitSha | None = None) -> CommitSha:
        """Push a new commit, made on `onto` or on the tip, as a person would."""
        tip = self.yard.commit(onto or self.tip(task), edits, at=500)
        self.put(branch(task), tip)
        return tip

    def move_main(self, edits: Edits) -> CommitSha:
        tip = self.yard.commit(self.main(), edits, at=600)
        self.put("main", tip)
        return tip

    def put(self, name: str, tip: CommitSha) -> None:
        ref = RefName(f"refs/heads/{name}")
        self.yard.factory.push(self.yard.origin.git_dir, [RefUpdate(ref, tip, self.yard.origin.refs(ref).get(ref))])

    def delete(self, name: str) -> None:
        ref = RefName(f"refs/heads/{name}")
        self.yard.origin.update_refs([RefUpdate(ref, None, self.yard.origin.refs(ref)[ref])])

    def main(self) -> CommitSha:
        tip = self.yard.origin.resolve("refs/heads/main")
        if not self.yard.factory.has_commit(tip):
            self.yard.factory.fetch(self.yard.origin.git_dir, [tip])
        return tip

    def tip(self, task: str) -> CommitSha:
        return self.yard.origin.resolve(f"refs/heads/{branch(task)}")

    def at(self, name: str) -> CommitSha:
        return self.yard.origin.resolve(f"refs/heads/{name}")

    def pull(self, task: str) -> PullRequest:
        return self.forge.get(self.numbers[task])

    def bases(self) -> dict[str, str]:
        """Task → the short name of its base, of the open pull requests."""
        return {task: task_of(self.pull(task).base) for task in self.numbers if self.pull(task).state == "open"}

    def diff(self, task: str) -> dict[str, str]:
        """What a reviewer of the task sees: path → status, against where its base and it parted."""
        return self.diff_of(self.pull(task))

    def diff_of(self, pull: PullRequest) -> dict[str, str]:
        origin = self.yard.origin
        head, base = self.at(pull.head), self.at(pull.base)
        (parted,) = origin.merge_bases(base, head)
        return {change.path: change.status for change in origin.changes(parted, head)}

    def subjects(self, task: str) -> int:
        """How many commits a reviewer sees."""
        pull = self.pull(task)
        return len(self.yard.origin.ancestry([self.at(pull.head)], self.at(pull.base)))

    def files(self, commit: CommitSha) -> dict[str, str]:
        if not self.yard.factory.has_commit(commit):
            self.yard.factory.fetch(self.yard.origin.git_dir, [commit])
        return self.yard.files(commit)
