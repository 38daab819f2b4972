"""Lands stacks: what the base would become is checked as a run checks a result, and the ledger is told of all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from switchyard_git import CommitSha
from switchyard_merge import Kept, Verdict
from switchyard_merge.land import LandedBranch
from switchyard_merge.queue import Ejected, Prefix
from switchyard_sandbox import BoxLost

from switchyard.config import Config
from switchyard.gates.checks import how_it_ended, in_environments
from switchyard.ledger import (
    ArtifactStore,
    Effect,
    EventType,
    FactoryView,
    NewEvent,
    TaskView,
    append,
    complete_effect,
    fold,
    intend_effect,
    read_events,
    unfinished_effects,
)
from switchyard.packets import CheckResult
from switchyard.workflow.checking import check_in_box
from switchyard.workflow.covering_tests import PLACEHOLDER, fill_tests, find_covering
from switchyard.workflow.factory import Factory
from switchyard.workflow.failures import LOST_BOXES
from switchyard.workflow.stacking import Stacking

ROLE = "landing"
"""The role of a box that a landing checks in."""

Say = Callable[[str], None]
"""Tells people how it goes on."""


def suite_of(config: Config, checks: Mapping[str, str]) -> str:
    """A digest of everything but the tree that a check depends on: with another, old verdicts don't count."""
    sandbox = config.sandbox
    parts: list[object] = [sorted(checks.items()), sandbox.kind, sandbox.image, sandbox.setup, sandbox.setup_network]
    parts.append(sorted(sandbox.env.items()))
    if config.environments:
        parts.append([(name, one.model_dump()) for name, one in sorted(config.environments.items())])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True)
class TreeChecker:
    """Checks the tree of a commit that no ref names yet: each check in a fresh sandbox, until one is red."""

    factory: Factory
    stack: str
    checks: Mapping[str, str]
    """Name → shell command."""
    base: CommitSha
    """What set-up runs on, and the sandboxes' code is laid over."""
    write: Callable[[Callable[[sa.Connection], object]], None]
    say: Say

    def __call__(self, commit: CommitSha) -> Verdict:
        """Whether all checks pass; the first that does not is the evidence.

        Raises:
            SandboxError: A sandbox could not be had; that says nothing about the tree.
        """
        tree = self.factory.quarantine.tree_of(commit)
        for name, command, environment in self._filled(commit):
            result = self._check(commit, name, command, environment)
            self._tell(commit, tree, result)
            if not result.passed:
                return Verdict(False, _evidence(result))
        return Verdict(True)

    def _filled(self, commit: CommitSha) -> Iterator[tuple[str, str, str]]:
        """Name, command and environment of each check; those that ask for tests get what covers all that would land."""
        asks = any(PLACEHOLDER in command for command in self.checks.values())
        tests = find_covering(self.factory, self.base, commit).tests if asks else ()
        chosen = {name: one.checks for name, one in self.factory.config.environments.items()}
        again = in_environments(self.checks, chosen)
        for name, (check, environment) in {**{name: (name, "") for name in self.checks}, **again}.items():
            command = fill_tests(self.checks[check], tests)
            if command is None:
                self.say(f"check {name} is left out: no test covers what would land")
            else:
                yield name, command, environment

    def _check(self, commit: CommitSha, name: str, command: str, environment: str) -> CheckResult:
        labels = {"role": ROLE, "stack": self.stack, "check": name}
        code = self.factory.code(self.base, commit)
        for tries_left in reversed(range(LOST_BOXES)):
            try:
                return check_in_box(self.factory, labels, code, name, command, lambda _: None, environment)
            except BoxLost:
                if not tries_left:
                    raise
        raise AssertionError

    def _tell(self, commit: CommitSha, tree: str, result: CheckResult) -> None:
        now = self.factory.now()
        event_type: EventType = "check_passed" if result.passed else "check_failed"
        event = NewEvent(
            key=f"landing/{self.stack}/{tree}/{result.name}/{now}",
            event_type=event_type,
            timestamp=now,
            artifact_reference=result.output,
            data={"stack": self.stack, "tree": tree, "commit": commit, **result.facts},
        )
        self.write(lambda connection: append(connection, event))
        ended = "passed" if result.passed else how_it_ended(result)
        self.say(f"tree {tree[:10]}: check {result.name} {ended} ({result.duration_s:.1f} s)")


@dataclass(frozen=True)
class LandingJournal:
    """Tells the ledger what a landing is about to do, what it did, and what that means for tasks."""

    stacking: Stacking
    stack: str
    artifacts: ArtifactStore
    say: Say

    def settle(self) -> None:
        """Find out what became of merges that were begun by a process which did not live to tell."""
        forge = self.stacking.keeper.forge
        begun: list[Effect] = []
        self.stacking.write(lambda connection: begun.extend(unfinished_effects(connection, "landing")))
        for effect in begun:
            if effect.intent["stack"] == self.stack:
                pull = forge.get(effect.intent["number"])
                if pull.state == "merged":
                    self._complete(effect.key, pull.head, pull.number, pull.merged_sha)

    def kept(self, kept: Kept) -> None:
        """Tell how the stack was put right."""
        self.stacking.tell(self.stack, kept)
        for branch in kept.pushed:
            self.say(f"restacked {branch}")

    def about_to_land(self, prefixes: Sequence[Prefix]) -> None:
        """Journal the intent, for each pull request."""

        def write(connection: sa.Connection) -> None:
            view = fold(read_events(connection))
            for one in prefixes:
                candidate = one.candidate
                task = _task_of(view, candidate.branch)
                intent = {
                    "stack": self.stack,
                    "number": candidate.number,
                    "branch": candidate.branch,
                    "head": candidate.tip,
                    "commit": one.commit,
                }
                run, name = (task.run_id, task.id) if task else ("", "")
                effect = Effect(self._key(candidate.number, candidate.tip), "landing", run, name, intent)
                intend_effect(connection, effect, self.stacking.now())

        self.stacking.write(write)

    def landed(self, one: LandedBranch) -> None:
        """Record the outcome; the task has landed."""
        self._complete(self._key(one.number, one.head), one.branch, one.number, one.commit, foreseen=one.was_foreseen)
        unforeseen = "" if one.was_foreseen else ", on a base that had moved: checked once more"
        self.say(f"landed #{one.number} {one.branch} as {one.commit[:10]}{unforeseen}")

    def ejected(self, one: Ejected) -> None:
        """The task of a culprit needs a person; what stands on one only waits for it."""
        self.say(f"ejected #{one.number} {one.branch}")
        if one.because_of:
            return
        pack = self.artifacts.put(one.evidence.encode("utf-8", "replace"))
        reason = _why_ejected(one)

        def write(connection: sa.Connection) -> None:
            task = _task_of(fold(read_events(connection)), one.branch)
            if task is not None and task.state != "needs_person":
                rows: tuple[tuple[EventType, dict[str, Any]], ...] = (
                    ("escalated", {"reason": reason, "pull_request": one.number}),
                    ("task_finished", {"state": "needs_person", "reason": reason}),
                )
                for event_type, data in rows:
                    key = f"landing/{task.run_id}/{task.id}/{event_type}/{task.row}"
                    append(connection, self._event(key, event_type, task, data, pack if data is rows[0][1] else ""))

        self.stacking.write(write)

    def _complete(self, key: str, branch: str, number: int, commit: str, *, foreseen: bool = True) -> None:
        outcome = {
            "stack": self.stack,
            "number": number,
            "branch": branch,
            "commit": commit,
            "pull_request": "merged",
            "foreseen": foreseen,
        }

        def write(connection: sa.Connection) -> None:
            task = _task_of(fold(read_events(connection)), branch)
            complete_effect(connection, key, outcome, self._event(f"landed:{key}", "landed", task, outcome))

        self.stacking.write(write)

    def _event(
        self, key: str, event_type: EventType, task: TaskView | None, data: Mapping[str, Any], artifact: str = ""
    ) -> NewEvent:
        run, name = (task.run_id, task.id) if task else ("", "")
        return NewEvent(
            key, event_type, self.stacking.now(), run_id=run, task_id=name, artifact_reference=artifact, data=data
        )

    def _key(self, number: int, head: CommitSha) -> str:
        return f"landing:{self.stack}/{number}/{head}"


def _task_of(view: FactoryView, branch: str) -> TaskView | None:
    """The task whose branch it is; None for a branch that people published."""
    return next((task for task in view.latest.values() if task.branch == branch), None)


def _why_ejected(one: Ejected) -> str:
    beside = f", on top of {', '.join(one.beside)}" if one.beside else ""
    told = f"not landed: the base would turn red with it{beside}"
    return f"{told}\n\n{one.evidence}" if one.evidence else told


def _evidence(result: CheckResult) -> str:
    told = f"check {result.name} {how_it_ended(result)}: {result.command}"
    return f"{told}\n\n{result.tail}" if result.tail else told
