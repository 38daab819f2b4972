"""The blind reviewers of a change: who is asked, each verdict sealed before any is revealed, and what they come to."""

from __future__ import annotations

import hashlib
import posixpath
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from switchyard_git import CommitSha
from switchyard_sandbox import BoxId, Decision

from switchyard import config as settings
from switchyard.agents.reviewing import Matter, prompt_digest
from switchyard.gates.verdicts import document_of, judge_verdicts, seal_of
from switchyard.ledger import Event, read_events
from switchyard.ledger.events import canonical_json
from switchyard.packets import (
    REVIEWERS,
    CheckResult,
    Ground,
    Judge,
    PlannedTask,
    Proof,
    Reviewer,
    Roster,
    RunPlan,
    SealedVerdict,
    Seat,
    Verification,
)
from switchyard.workflow.canaries import CanaryBook, try_due
from switchyard.workflow.examining import script_of
from switchyard.workflow.factory import Factory
from switchyard.workflow.graphs import ensure_seed
from switchyard.workflow.journal import Journal
from switchyard.workflow.paths import printable
from switchyard.workflow.reviewing import Review, agent_table, diff_of, owned_by, reviewed_commit, run_review

SALT_BYTES = 32


@dataclass(frozen=True)
class Verifier:
    """Has the attempts of one task reviewed; made anew on every replay, so it holds nothing that is not recorded."""

    factory: Factory
    plan: RunPlan
    task: PlannedTask
    ground: Ground
    journal: Journal
    on_setup: Callable[[int], Callable[[Sequence[Decision]], None]]
    """By attempt: who is told what set-up asks of its proxy, where it runs for a reviewer's sandbox."""

    def add_verdicts(self, attempt: int, commit: CommitSha, proof: Proof, why_not: Callable[[], str]) -> Proof:
        """The proof with what the reviewers said of the commit; where it equals the base there is nothing to judge.

        Args:
            attempt: 0 for a commit that no attempt of this run made.
            why_not: Why nobody is asked; empty: they are. Asked once, inside a recorded step.
        """
        if commit == self.ground.commit:
            return proof
        gate = self.verify(attempt, commit, proof.checks, why_not).gate
        data = {"attempt": attempt, "commit": commit, **gate.model_dump(mode="json", exclude={"artifact"})}
        self.journal.record(f"gate {attempt} {gate.gate}", "gate_decided", data)
        return proof.model_copy(update={"gates": (*proof.gates, gate)})

    def verify(
        self, attempt: int, commit: CommitSha, checks: Sequence[CheckResult], why_not: Callable[[], str]
    ) -> Verification:
        """Ask every reviewer that counts, each alone; nobody can read a verdict before the last is sealed."""
        roster = self._seat(attempt, commit, why_not)
        sealed = [self._review(attempt, commit, judge, checks) for judge in roster.asked]
        for one in sealed:
            name = f"revealed {attempt} {one.verdict.judge.reviewer}"
            data = {"attempt": attempt, **one.revealed_facts}
            self.journal.record(name, "verdict_revealed", data, artifact=one.document)
        verdicts = tuple(one.verdict for one in sealed)
        return Verification(roster=roster, verdicts=verdicts, gate=judge_verdicts(roster, verdicts))

    def _seat(self, attempt: int, commit: CommitSha, why_not: Callable[[], str]) -> Roster:
        """Who is asked: recorded, since it hangs on the configuration, the clock and the canaries."""

        def work() -> Roster:
            judges = judges_for(self.factory.config, self.task.review_agent)
            if judges and (idle := why_not()):
                return Roster(idle=idle)
            seats = [self._take_seat(attempt, judge) for judge in judges]
            return Roster(seats=tuple(seat.model_copy(update={"edited": self._edited(commit, seat)}) for seat in seats))

        return Roster.model_validate(self.journal.step(f"reviewers {attempt}", work))

    def _take_seat(self, attempt: int, judge: Judge) -> Seat:
        config = self.factory.config
        if why := why_builder(config, judge.agent, self.task.agent):
            return Seat(judge=judge, absent=why)
        book = CanaryBook(self._rows, self.journal.add, self.plan.run_id)
        labels = {"run": self.plan.run_id, "task": self.task.id, "attempt": str(attempt)}
        with self.factory.verifying:
            try_due(self.factory, book, judge, self.plan.base_commit, labels)
            standing = book.standing(judge)
        verify = config.verify
        asks_fresh = verify.canaries_per_run > 0
        why = standing.why_absent(self.factory.clock(), verify.canary_days, asks_fresh=asks_fresh)
        return Seat(judge=judge, absent=why)

    def _edited(self, commit: CommitSha, seat: Seat) -> tuple[str, ...]:
        """What would judge all later changes once this one has landed."""
        if "protected" in self.task.allow:
            return ()
        is_own = owned_by(agent_table(self.factory.config, seat.judge.agent).command)
        changes = self.factory.quarantine.changes(self.ground.commit, commit)
        return tuple(sorted(printable(change.path) for change in changes if is_own(change.path)))

    def _rows(self) -> list[Event]:
        return self.journal.read(lambda connection: list(read_events(connection)))

    def _review(
        self,
        attempt: int,
        commit: CommitSha,
        judge: Judge,
        checks: Sequence[CheckResult],
    ) -> SealedVerdict:
        name, role = f"{attempt} {judge.reviewer}", f"review:{judge.reviewer}"

        def note_box(box: BoxId) -> None:
            self.journal.note(f"sandbox {box}", "sandbox_created", {"attempt": attempt, "box": box, "role": role})

        def work() -> SealedVerdict:
            review = self._brief(attempt, commit, judge, checks, role)
            verdict, models = run_review(self.factory, review, note_box)
            document, salt = document_of(verdict), secrets.token_hex(SALT_BYTES)
            reference = self.factory.artifacts.put(document)
            return SealedVerdict(
                verdict=verdict, document=reference, salt=salt, seal=seal_of(document, salt), models=models
            )

        sealed = SealedVerdict.model_validate(self.journal.step(f"review {name}", work))
        self.journal.record(f"sealed {name}", "verdict_sealed", {"attempt": attempt, **sealed.sealed_facts})
        return sealed

    def _brief(
        self,
        attempt: int,
        commit: CommitSha,
        judge: Judge,
        checks: Sequence[CheckResult],
        role: str,
    ) -> Review:
        factory, task, base = self.factory, self.task, self.plan.base_commit
        diff, changed = diff_of(factory, self.ground.commit, commit)
        ensure_seed(factory.places, base)
        return Review(
            judge=judge,
            labels={"run": self.plan.run_id, "task": task.id, "attempt": str(attempt), "role": role},
            task_id=task.id,
            commit=commit,
            code=factory.code(base, reviewed_commit(factory, judge, self.ground.commit, commit)),
            matter=Matter(task.title, task.body, task.acceptance, task.test_requirements),
            diff=diff,
            changed=changed,
            checks=checks,
            seed=base,
            setup=factory.setup(self.on_setup(attempt)),
        )


def judges_for(config: settings.Config, review_agent: str = "") -> list[Judge]:
    """The configured reviewers.

    Args:
        review_agent: Who a task wants for its quality, in place of the configured one.

    Raises:
        AgentError: One was taken out of the configuration meanwhile.
    """
    named = {**config.verify.named, **({"quality": review_agent} if review_agent else {})}
    return [_judge(config, reviewer, named[reviewer]) for reviewer in REVIEWERS if named[reviewer]]


def why_builder(config: settings.Config, judge: str, builder: str) -> str:
    """Why an agent may not judge what another one built; empty: it may."""
    if judge == builder:
        return "it is the builder"
    mine, theirs = agent_table(config, judge), agent_table(config, builder)
    is_same = (mine.kind, _program_of(mine), mine.model) == (theirs.kind, _program_of(theirs), theirs.model)
    return "it is the builder under another name" if is_same else ""


def _program_of(table: settings.Agent) -> tuple[str, ...]:
    """What a table starts; arguments make no other program of an agent or a script that is known by its name."""
    if table.kind in ("codex", "claude"):
        return (posixpath.basename((table.command or (table.kind,))[0]),)
    script = script_of(table.command)
    return (script,) if script else tuple(table.command)


def _judge(config: settings.Config, reviewer: Reviewer, agent: str) -> Judge:
    table, prompt = agent_table(config, agent), prompt_digest(reviewer)
    whole = [reviewer, agent, table.kind, list(table.command), table.model, prompt]
    return Judge(
        reviewer=reviewer,
        agent=agent,
        kind=table.kind,
        model=table.model,
        prompt=prompt,
        identity=hashlib.sha256(canonical_json(whole).encode()).hexdigest(),
    )
