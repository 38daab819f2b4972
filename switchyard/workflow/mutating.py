"""Faults in what an attempt changed: each in a fresh sandbox on a commit of its own, before the repository's tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from switchyard_git import CommitSha
from switchyard_sandbox import Command, Decision, Finished

from switchyard.config.gates import MutationConfig
from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.mutation import GATE, Mutant, Trial, choose_mutants, is_readable, judge_mutation, mutants_of
from switchyard.gates.sources import runnable_files
from switchyard.packets import Asks, GateFinding, GateResult, PlannedTask, RunPlan
from switchyard.quoting import block, code
from switchyard.workflow.checking import fresh_box, tail
from switchyard.workflow.covering_tests import PLACEHOLDER, fill_tests, find_covering
from switchyard.workflow.factory import Factory, signature

LONGER = 4.0
"""How many times as long as without a fault the tests may take with one, before that counts as noticed."""
LEAST_S = 10.0


def mutate(
    factory: Factory,
    plan: RunPlan,
    task: PlannedTask,
    attempt: int,
    base: CommitSha,
    commit: CommitSha,
    change: Change,
    on_decisions: Callable[[Sequence[Decision]], None],
) -> GateResult:
    """Put faults into the changed lines of an attempt, one at a time, and see whether its tests notice.

    Args:
        base: What the task's work started from.
        change: The attempt against it.
        on_decisions: Told what set-up asked of its proxy, where it runs for this sandbox.

    Raises:
        SandboxError: A sandbox could not be had; that says nothing about the commit.
    """
    wanted = factory.config.gates.mutation
    if wanted is None:
        return GateResult.skipped(GATE, "no command is configured in `[gates.mutation]`")
    files = {file.path: file for file in runnable_files(change, wanted.exclude)}
    mutants = _chosen(files, wanted.most)
    unread = [path for path, file in files.items() if not is_readable(path, file.after or b"")]
    if not mutants:
        nothing = GateResult.skipped(GATE, "no changed line holds what a fault could be put into")
        return judge_mutation((), unread, wanted.percent, wanted.minutes) if unread else nothing
    labels = {"run": plan.run_id, "task": task.id, "attempt": str(attempt), "role": "gate:mutation"}
    command = _command(factory, task, base, commit, wanted.command)
    if command is None:
        return _of_no_tests(wanted)
    runs = _Runs(factory, plan, labels, command, task.environments.get(wanted.command, ""), on_decisions)
    plain = runs.run(commit, factory.config.sandbox.timeout_minutes * 60)
    if not plain.ok:
        return _of_red_tests(wanted, plain)
    trials = _try_all(runs, commit, files, mutants, plain, wanted)
    result = judge_mutation(trials, unread, wanted.percent, wanted.minutes)
    return result.model_copy(update={"artifact": factory.artifacts.put(_listed(trials))})


@dataclass(frozen=True)
class _Runs:
    """The tests on one commit after the other, each in a sandbox of its own."""

    factory: Factory
    plan: RunPlan
    labels: Mapping[str, str]
    command: str
    environment: str
    on_decisions: Callable[[Sequence[Decision]], None]

    def run(self, commit: CommitSha, timeout_s: float) -> Finished:
        code_in = self.factory.code(self.plan.base_commit, commit)
        stall_s = self.factory.config.sandbox.stall_minutes * 60
        command = Command(argv=("sh", "-c", self.command), timeout_s=timeout_s, stall_s=stall_s)
        with fresh_box(self.factory, self.labels, code_in, self.on_decisions, self.environment) as box:
            return self.factory.driver.execute(box, command)


def _command(factory: Factory, task: PlannedTask, base: CommitSha, commit: CommitSha, wanted: str) -> str | None:
    """The command of the check of that name, else the command itself; None where it asks for tests and has none."""
    command = task.checks.get(wanted, wanted)
    return fill_tests(command, find_covering(factory, base, commit).tests if PLACEHOLDER in command else ())


def _chosen(files: dict[str, ChangedFile], most: int) -> list[Mutant]:
    sources = {path: file.after or b"" for path, file in files.items()}
    found = [mutant for path, file in files.items() for mutant in mutants_of(path, sources[path], file.added_lines)]
    return choose_mutants(found, sources, most)


def _try_all(
    runs: _Runs,
    commit: CommitSha,
    files: dict[str, ChangedFile],
    mutants: Sequence[Mutant],
    plain: Finished,
    wanted: MutationConfig,
) -> list[Trial]:
    limit_s = max(LEAST_S, LONGER * plain.duration_s)
    clock = runs.factory.clock
    begun = clock()
    trials: list[Trial] = []
    for mutant in mutants:
        left_s = wanted.minutes * 60 - (clock() - begun).total_seconds()
        if left_s <= 0:
            trials.append(Trial(mutant, "untried"))
            continue
        faulty = _commit_of(runs, commit, files[mutant.path], mutant)
        finished = runs.run(faulty, min(limit_s, left_s))
        trials.append(Trial(mutant, _outcome(finished, is_cut_short=left_s < limit_s)))
    return trials


def _outcome(finished: Finished, *, is_cut_short: bool) -> Literal["noticed", "unnoticed", "untried"]:
    """Tests that don't end, or eat all the memory, have noticed the fault too, if they had the time that is due."""
    if finished.ok:
        return "unnoticed"
    return "untried" if finished.limit == "timeout" and is_cut_short else "noticed"


def _commit_of(runs: _Runs, commit: CommitSha, file: ChangedFile, mutant: Mutant) -> CommitSha:
    """The attempt with one fault in it; nothing refers to the commit, so git takes it away again."""
    repository, who = runs.factory.quarantine, signature(runs.plan.timestamp)
    blob = repository.write_blob(mutant.put_into(file.after or b""))
    tree = repository.write_tree_from(repository.tree_of(commit), {file.path: (file.mode_after, blob)})
    return repository.commit_tree(tree, [commit], "A fault\n", author=who, committer=who)


def _listed(trials: Sequence[Trial]) -> bytes:
    """Every fault and what became of it, as JSON."""
    rows = [
        {
            "path": trial.mutant.path,
            "line": trial.mutant.line,
            "operator": trial.mutant.operator,
            "before": trial.mutant.before,
            "after": trial.mutant.after,
            "outcome": trial.outcome,
        }
        for trial in trials
    ]
    return json.dumps(rows, indent=1).encode()


def _of_no_tests(wanted: MutationConfig) -> GateResult:
    asks: Asks = "repair" if wanted.percent else "note"
    title = "no test covers what changed, so that no fault in it would be noticed"
    return GateResult.of(GATE, [GateFinding(title=title, asks=asks)], "no fault was tried")


def _of_red_tests(wanted: MutationConfig, finished: Finished) -> GateResult:
    """Tests that fail on the attempt as it is say nothing of faults."""
    if finished.limit:
        how = f"was ended by the {finished.limit} limit"
    else:
        how = f"was ended by signal {finished.signal}" if finished.signal else f"exited with {finished.exit_code}"
    said = tail(finished.stdout + finished.stderr)
    asks: Asks = "note" if not wanted.percent else "person" if finished.exit_code in (126, 127) else "repair"
    title = f"the command of the mutation gate, {code(wanted.command)}, {how} without any fault"
    finding = GateFinding(title=title, asks=asks, detail=block(said) if said else "")
    return GateResult.of(GATE, [finding], "no fault was tried")
