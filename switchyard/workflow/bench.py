"""Where a task's checks run: each run in a fresh sandbox is a recorded step and a row of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from switchyard_git import CommitSha
from switchyard_sandbox import Decision

from switchyard.ledger import EventType, LedgerError
from switchyard.ledger.checks import find_check
from switchyard.packets import CheckResult, PlannedTask, RunPlan
from switchyard.packets.attempt import On
from switchyard.workflow.checking import check_in_box, tail
from switchyard.workflow.factory import Factory
from switchyard.workflow.journal import Journal
from switchyard.workflow.surroundings import surroundings_of

NoteSetUp = Callable[[Sequence[Decision]], None]


@dataclass(frozen=True)
class Check:
    """A check as it is run."""

    name: str
    command: str
    environment: str = ""


@dataclass(frozen=True)
class Bench:
    """Runs the checks of one task."""

    factory: Factory
    plan: RunPlan
    task: PlannedTask
    journal: Journal
    note_setup: Callable[[int], NoteSetUp]

    def run(self, attempt: int, commit: CommitSha, check: Check, *, on: On = "change", again: int = 0) -> CheckResult:
        """Run a check on a commit.

        Args:
            again: Which run of the same it is, after the first.
        """
        result = self._step(_step_name(attempt, check, on, again), lambda: self._in_box(attempt, commit, check, on))
        self._record(attempt, commit, check, result, again)
        return result

    def on_base(self, attempt: int, base: CommitSha, check: Check) -> CheckResult:
        """A check's result on the task's base; where the same tree was checked with the same before, that one."""

        def work() -> CheckResult:
            known, (tree, suite) = self.factory.known_results, self._key(base, check)
            with known.asked((tree, suite)) as found:
                result = found or self._found(tree, suite, check) or self._in_box(attempt, base, check, "base")
                known.tell((tree, suite), result)
            return result.model_copy(update={"name": check.name, "on": "base"})

        result = self._step(_step_name(attempt, check, "base", 0), work)
        self._record(attempt, base, check, result, 0)
        return result

    def _step(self, name: str, work: Callable[[], CheckResult]) -> CheckResult:
        return CheckResult.model_validate(self.journal.step(name, work))

    def _in_box(self, attempt: int, commit: CommitSha, check: Check, on: On) -> CheckResult:
        role = f"check:{check.name}" if on == "change" else f"check on {on}:{check.name}"
        labels = {"run": self.plan.run_id, "task": self.task.id, "attempt": str(attempt), "role": role}
        code = self.factory.code(self.plan.base_commit, commit)
        told = self.note_setup(attempt)
        result = check_in_box(self.factory, labels, code, check.name, check.command, told, check.environment)
        tree, suite = self._key(commit, check)
        return result.model_copy(update={"on": on, "tree": tree, "suite": suite})

    def _found(self, tree: str, suite: str, check: Check) -> CheckResult | None:
        """What the ledger says of it, with the output that it names; None where one of them is missing."""
        found = self.journal.read(lambda connection: find_check(connection, tree, suite))
        if found is None:
            return None
        facts, output = found
        try:
            told = "" if facts["passed"] else tail(self.factory.artifacts.get(output))
        except LedgerError:
            return None
        known = {name: facts[name] for name in CheckResult.model_fields if name in facts}
        again = {"runs": (), "base_runs": (), "is_flaky": False, "base": None}
        return CheckResult.model_validate({**known, **again, "output": output, "tail": told})

    def _key(self, commit: CommitSha, check: Check) -> tuple[str, str]:
        suite = surroundings_of(self.factory.config, check.environment).suite(check.command)
        return str(self.factory.quarantine.tree_of(commit)), suite

    def _record(self, attempt: int, commit: CommitSha, check: Check, result: CheckResult, again: int) -> None:
        name = _step_name(attempt, check, result.on, again)
        facts = {"attempt": attempt, "commit": commit, **({"again": again} if again else {}), **result.facts}
        event: EventType = "check_passed" if result.passed else "check_failed"
        self.journal.record(f"{name} recorded", event, facts, artifact=result.output)


def _step_name(attempt: int, check: Check, on: On, again: int) -> str:
    # The name of a check may hold anything, so nothing comes after it.
    place = "" if on == "change" else f"on {on} "
    return f"check {place}{f'again {again} ' if again else ''}{attempt} {check.name}"
