"""One attempt: an agent in a sandbox on the task's code, and what it changed as a quarantined commit."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence

from switchyard_git import CommitSha, ObjectSha, RefName, RefUpdate, TreeSha
from switchyard_sandbox import BoxId, BoxSpec, Decision, Extraction
from switchyard_sandbox.presets import expand

from switchyard import config as settings
from switchyard.agents import (
    SCHEMA_FILE,
    Agent,
    AgentRunner,
    Assignment,
    Briefing,
    LeftResult,
    Places,
    Timers,
    collect_result,
    correction,
    render_prompt,
    result_schema,
)
from switchyard.packets import (
    ArtifactRef,
    AttemptResult,
    BuildResultPacket,
    FindingNote,
    Ground,
    PlannedTask,
    Preparation,
    ResultNote,
    RunPlan,
    SelectedContext,
)
from switchyard.workflow.assigning import keep_assignment, told_criteria, told_plan
from switchyard.workflow.checking import destroy_boxes, tail
from switchyard.workflow.examining import script_of
from switchyard.workflow.factory import Factory, signature
from switchyard.workflow.graphs import ensure_seed
from switchyard.workflow.outside import ModelAccess, note_egress
from switchyard.workflow.paths import printable
from switchyard.workflow.programs import context_program
from switchyard.workflow.roles import agent_named, guides_unread, table_named
from switchyard.workflow.selection_use import selected_paths, use_of

DIFF_CAP_BYTES = 10_000_000
RATIONALE_CHARS = 4_000


class AttemptRunner:
    """Runs attempts of one task. An attempt that already left its result is adopted, never repeated."""

    def __init__(
        self, factory: Factory, plan: RunPlan, task: PlannedTask, ground: Ground, preparation: Preparation
    ) -> None:
        self._factory, self._plan, self._task, self._ground = factory, plan, task, ground
        self._preparation = preparation

    def keep_assignment(
        self, attempt: int, start: CommitSha, context: SelectedContext, feedback: Sequence[str]
    ) -> ArtifactRef:
        """What the agent is dispatched with, as an artifact."""
        return keep_assignment(
            self._factory,
            self._plan,
            self._task,
            self._ground,
            context,
            role="build",
            agent=self._task.agent,
            attempt=attempt,
            start=start,
            preparation=self._preparation,
            feedback=feedback,
        )

    def labels(self, attempt: int) -> dict[str, str]:
        """How the attempt's sandbox is found again."""
        return {"run": self._plan.run_id, "task": self._task.id, "attempt": str(attempt), "role": "agent"}

    def found(self, attempt: int) -> AttemptResult | None:
        """The result that an interrupted try of this attempt already recorded."""
        quarantine = self._factory.quarantine
        blobs = [ObjectSha(blob) for blob in quarantine.refs(self._record_ref(attempt)).values()]
        for _, content in quarantine.read_blobs(blobs):
            return AttemptResult.model_validate_json(content)
        return None

    def run(
        self,
        attempt: int,
        start: CommitSha,
        context: SelectedContext,
        feedback: Sequence[str],
        on_created: Callable[[BoxId], None],
        on_decisions: Callable[[Sequence[Decision]], None],
    ) -> AttemptResult:
        """Let the agent work on `start` and bring its edits out; the sandbox is gone afterwards.

        Args:
            on_decisions: Told what set-up asked of its proxy, where it runs for this sandbox.

        Raises:
            SandboxError: The sandbox could not be had or was lost; the attempt is not used up.
        """
        driver, agent = self._factory.driver, self._agent()
        with ModelAccess(self._factory.gateway, self.labels(attempt), self._ttl_s) as models:
            selected = selected_paths(self._factory.artifacts, context)
            box = self._open_box(attempt, start, selected, agent, models, on_decisions)
            try:
                on_created(box)
                assignment = self._assign(box, attempt, context, feedback)
                work, left = self._run_agent(box, agent, assignment, selected)
                extraction = driver.extract(box, self._factory.places.factory)
            finally:
                driver.destroy(box)
        result = self._result(box, attempt, work, extraction, selected)
        prompt = self._factory.artifacts.put(assignment.prompt.encode("utf-8", "backslashreplace"))
        result = result.model_copy(update={"models": models.used(), "result": self._note(left), "prompt": prompt})
        self._keep(result)
        return result

    @property
    def _ttl_s(self) -> float:
        return self._task.timeout_minutes * 60 + 300

    def _open_box(
        self,
        attempt: int,
        start: CommitSha,
        selected: tuple[str, ...],
        agent: Agent,
        models: ModelAccess,
        on_decisions: Callable[[Sequence[Decision]], None],
    ) -> BoxId:
        """A fresh sandbox on `start`; what an interrupted try left is ended first."""
        destroy_boxes(self._factory, self.labels(attempt))
        sandbox, places = self._factory.config.sandbox, self._factory.places
        ensure_seed(places, self._plan.base_commit)
        return self._factory.driver.create(
            BoxSpec(
                labels=self.labels(attempt),
                code=self._factory.code(self._plan.base_commit, start, self._sparse(start, selected)),
                limits=self._factory.limits(),
                setup=self._factory.setup(on_decisions),
                env=sandbox.env,
                network=tuple(sandbox.network),
                gateway=models.granted,
                programs=(
                    context_program(places.seed(self._plan.base_commit), offers_tools=self._offers_tools),
                    *agent.programs,
                ),
                ttl_s=self._ttl_s,
                workspace=sandbox.workspace,
                allow_degraded=sandbox.allow_degraded,
            )
        )

    def _sparse(self, start: CommitSha, selected: tuple[str, ...]) -> tuple[str, ...]:
        """What is laid out where not all is: the context, what attempts changed so far, and the agent's own scripts."""
        factory = self._factory
        if not (factory.config.sandbox.sparse and selected):
            return ()
        changed = [change.path for change in factory.quarantine.changes(self._ground.commit, start)]
        script = script_of(self._agent_table().command)
        return tuple(sorted({*selected, *changed, *([posixpath.dirname(script) or script] if script else [])}))

    def _run_agent(
        self, box: BoxId, agent: Agent, assignment: Assignment, selected: tuple[str, ...]
    ) -> tuple[AgentRunner, LeftResult[BuildResultPacket] | None]:
        """Its turn, and another one where the account that it left of it has a fault."""
        driver, minutes = self._factory.driver, self._agent_table().turn_minutes
        timers = Timers(
            total_s=self._task.timeout_minutes * 60,
            stall_s=self._factory.config.sandbox.stall_minutes * 60,
            turn_s=minutes * 60 if minutes else None,
        )
        runner = AgentRunner(driver, box, agent, timers, watch=selected)
        turn = runner.begin(assignment)
        left = collect_result(driver, box, BuildResultPacket)
        if left and left.fault and turn.outcome.ok and runner.go_on(assignment, correction(left.fault)):
            left = collect_result(driver, box, BuildResultPacket)
        return runner, left

    def _assign(self, box: BoxId, attempt: int, context: SelectedContext, feedback: Sequence[str]) -> Assignment:
        """Lay what the agent is told beside its work tree."""
        factory, task = self._factory, self._task
        driver = factory.driver
        context_file = driver.put(box, "context.md", factory.artifacts.get(context.markdown))
        driver.put(box, "context.json", factory.artifacts.get(context.listing))
        prompt = render_prompt(
            Briefing(
                task=task,
                attempt=attempt,
                context_file=context_file,
                checks=task.checks,
                schema_file=driver.put(box, SCHEMA_FILE, result_schema(BuildResultPacket)),
                network=expand(factory.config.sandbox.network),
                protected=factory.config.review.protected,
                feedback=feedback,
                criteria=told_criteria(factory, self._preparation),
                plan=told_plan(factory, self._preparation),
                unread=guides_unread(factory, self._agent_table().kind, self._ground),
            )
        )
        prompt_file = driver.put(box, "prompt.md", prompt.encode("utf-8", "backslashreplace"))
        return Assignment(
            run_id=self._plan.run_id,
            task_id=task.id,
            attempt=attempt,
            model=self._agent_table().model,
            places=Places(workdir=driver.workdir(box), prompt_file=prompt_file, context_file=context_file),
            prompt=prompt,
            offers_tools=self._offers_tools,
        )

    @property
    def _offers_tools(self) -> bool:
        table = self._agent_table()
        return isinstance(table, settings.CodexAgent | settings.ClaudeAgent) and table.mcp

    def _agent_table(self) -> settings.Agent:
        return table_named(self._factory, self._task.agent)

    def _agent(self) -> Agent:
        return agent_named(self._factory, self._task.agent)

    def _result(
        self, box: BoxId, attempt: int, work: AgentRunner, extraction: Extraction, selected: tuple[str, ...]
    ) -> AttemptResult:
        finished, told = work.whole(), work.report()
        put, quarantine = self._factory.artifacts.put, self._factory.quarantine
        base = self._ground.commit
        commit = self._commit(attempt, TreeSha(extraction.tree))
        changes = quarantine.changes(base, commit)
        return AttemptResult(
            attempt=attempt,
            box=box,
            commit=commit,
            changed=tuple(sorted(printable(change.path) for change in changes)),
            created=tuple(sorted(printable(change.path) for change in changes if change.status == "A")),
            context=use_of(selected, finished.opened, finished.unseen),
            findings=tuple(
                FindingNote(path=printable(note.path), kind=note.kind, detail=note.detail, refused=note.refused)
                for note in extraction.findings
            ),
            egress=note_egress(finished.decisions),
            exit_code=finished.exit_code,
            signal=finished.signal,
            limit=finished.limit,
            duration_s=round(finished.duration_s, 3),
            stdout=put(finished.stdout),
            stderr=put(finished.stderr),
            diff=put(quarantine.patch(base, commit, max_bytes=DIFF_CAP_BYTES)),
            told=told,
            said=tail(told.final_text.encode() or finished.stderr if told else finished.stdout + finished.stderr),
        )

    def _note(self, left: LeftResult[BuildResultPacket] | None) -> ResultNote | None:
        if left is None:
            return None
        artifact = self._factory.artifacts.put(left.raw)
        if left.result is None:
            return ResultNote(artifact=artifact, fault=left.fault)
        result = left.result
        return ResultNote(
            artifact=artifact,
            summary=result.summary,
            rationale=_cut(result.rationale),
            confidence=result.confidence,
            discovered=len(result.discovered),
        )

    def _commit(self, attempt: int, tree: TreeSha) -> CommitSha:
        base = self._ground.commit
        if self._factory.quarantine.tree_of(base) == tree:
            return base
        who = signature(self._plan.timestamp)
        message = (
            f"{self._task.title}\n\n"
            f"Switchyard-Task: {self._task.id}\n"
            f"Switchyard-Attempt: {self._plan.run_id}/{self._task.id}/{attempt}\n"
        )
        return self._factory.quarantine.commit_tree(tree, [base], message, author=who, committer=who)

    def _keep(self, result: AttemptResult) -> None:
        """Commit and record under two refs in one transaction; from here on the attempt is never run again."""
        quarantine = self._factory.quarantine
        record = quarantine.write_blob(result.model_dump_json().encode())
        name = f"{self._plan.run_id}/{self._task.id}/{result.attempt}"
        quarantine.update_refs(
            [
                RefUpdate(RefName(f"refs/switchyard/wip/{name}"), result.commit, None),
                RefUpdate(self._record_ref(result.attempt), CommitSha(record), None),
            ]
        )

    def _record_ref(self, attempt: int) -> RefName:
        return RefName(f"refs/switchyard/records/{self._plan.run_id}/{self._task.id}/{attempt}")


def _cut(text: str) -> str:
    return text if len(text) <= RATIONALE_CHARS else f"{text[: RATIONALE_CHARS - 1]}…"
