"""An agent in a role before the builder's: it reads in a sandbox of its own, leaves one packet, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from switchyard_sandbox import BoxId, BoxSpec, Decision
from switchyard_sandbox.presets import expand

from switchyard import config as settings
from switchyard.agents import (
    GUIDES,
    SCHEMA_FILE,
    Agent,
    AgentError,
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
    unread_guides,
)
from switchyard.agents.events import one_line
from switchyard.packets import (
    Ground,
    PlannedTask,
    Refusal,
    RoleAnswer,
    RolePacket,
    RunPlan,
    SelectedContext,
)
from switchyard.packets.roles import RoleName
from switchyard.workflow.checking import destroy_boxes
from switchyard.workflow.factory import Factory
from switchyard.workflow.graphs import ensure_seed
from switchyard.workflow.outside import ModelAccess, note_egress
from switchyard.workflow.programs import context_program

P = TypeVar("P", bound=RolePacket)
SILENT = "there is no such file"
"""What is wrong with an answer that was not written."""


@dataclass(frozen=True)
class Role(Generic[P]):
    """What an agent is asked for."""

    name: RoleName
    agent: str
    """Its table; "" is the default."""
    kind: type[P]
    """What it must leave."""
    faults: Callable[[P], str]
    """What is wrong with a packet that its schema can't see; empty: nothing."""
    criteria: str = ""
    """What the role before proposed, quoted."""


class RoleRunner:
    """Runs one role on one task. What an interrupted try left is ended, and it is asked again."""

    def __init__(self, factory: Factory, plan: RunPlan, task: PlannedTask, ground: Ground) -> None:
        self._factory, self._plan, self._task, self._ground = factory, plan, task, ground

    def run(
        self,
        role: Role[P],
        context: SelectedContext,
        on_created: Callable[[BoxId], None],
        on_decisions: Callable[[Sequence[Decision]], None],
    ) -> RoleAnswer:
        """Ask, and read the answer; one with a fault is sent back once.

        Raises:
            SandboxError: The sandbox could not be had or was lost.
            AgentError: The agent can't be started as configured.
        """
        driver, agent = self._factory.driver, agent_named(self._factory, role.agent)
        labels = {"run": self._plan.run_id, "task": self._task.id, "attempt": "0", "role": role.name}
        with ModelAccess(self._factory.gateway, labels, self._total_s + 300) as models:
            box = self._open_box(labels, agent, models, on_decisions)
            try:
                on_created(box)
                assignment = self._assign(box, role, context)
                runner, tries = self._ask(box, agent, assignment, role)
            finally:
                driver.destroy(box)
            answer = self._answer(role, runner, tries, assignment.prompt)
            return answer.model_copy(update={"models": models.used()})

    @property
    def _total_s(self) -> float:
        return self._factory.config.roles.minutes * 60

    def _open_box(
        self,
        labels: dict[str, str],
        agent: Agent,
        models: ModelAccess,
        on_decisions: Callable[[Sequence[Decision]], None],
    ) -> BoxId:
        factory, sandbox, base = self._factory, self._factory.config.sandbox, self._plan.base_commit
        destroy_boxes(factory, labels)
        ensure_seed(factory.places, base)
        return factory.driver.create(
            BoxSpec(
                labels=labels,
                code=factory.code(base, self._ground.commit),
                limits=factory.limits(),
                setup=factory.setup(on_decisions),
                env=sandbox.env,
                network=tuple(sandbox.network),
                gateway=models.granted,
                programs=(context_program(factory.places.seed(base)), *agent.programs),
                ttl_s=self._total_s + 300,
                workspace=sandbox.workspace,
                allow_degraded=sandbox.allow_degraded,
            )
        )

    def _assign(self, box: BoxId, role: Role[P], context: SelectedContext) -> Assignment:
        factory, task = self._factory, self._task
        driver, table = factory.driver, table_named(factory, role.agent)
        context_file = driver.put(box, "context.md", factory.artifacts.get(context.markdown))
        driver.put(box, "context.json", factory.artifacts.get(context.listing))
        prompt = render_prompt(
            Briefing(
                role=role.name,
                task=task,
                attempt=1,
                context_file=context_file,
                checks=task.checks,
                schema_file=driver.put(box, SCHEMA_FILE, result_schema(role.kind)),
                network=expand(factory.config.sandbox.network),
                protected=factory.config.review.protected,
                criteria=role.criteria,
                unread=guides_unread(factory, table.kind, self._ground),
            )
        )
        prompt_file = driver.put(box, "prompt.md", prompt.encode("utf-8", "backslashreplace"))
        return Assignment(
            run_id=self._plan.run_id,
            task_id=task.id,
            attempt=1,
            model=table.model,
            places=Places(workdir=driver.workdir(box), prompt_file=prompt_file, context_file=context_file),
            prompt=prompt,
        )

    def _ask(
        self, box: BoxId, agent: Agent, assignment: Assignment, role: Role[P]
    ) -> tuple[AgentRunner, list[LeftResult[P]]]:
        stall_s = self._factory.config.sandbox.stall_minutes * 60
        runner = AgentRunner(self._factory.driver, box, agent, Timers(total_s=self._total_s, stall_s=stall_s))
        turn = runner.begin(assignment)
        tries = [self._collect(box, role)]
        if tries[0].fault and turn.outcome.ok and runner.go_on(assignment, correction(tries[0].fault)):
            tries.append(self._collect(box, role))
        return runner, tries

    def _collect(self, box: BoxId, role: Role[P]) -> LeftResult[P]:
        left = collect_result(self._factory.driver, box, role.kind) or LeftResult(b"", None, SILENT)
        if left.result is not None and (fault := role.faults(left.result)):
            return replace(left, result=None, fault=fault)
        return left

    def _answer(self, role: Role[P], runner: AgentRunner, tries: list[LeftResult[P]], prompt: str) -> RoleAnswer:
        put, whole, outcome, last = self._factory.artifacts.put, runner.whole(), runner.turns[-1].outcome, tries[-1]
        found = last.result if outcome.ok else None
        reason = f"its result.json: {last.fault}"
        if not outcome.ok:
            reason = f"the agent failed: {outcome.reason}"
            tries = [*tries[:-1], replace(last, fault=reason)]
        return RoleAnswer(
            role=role.name,
            agent=role.agent,
            packet=put(found.model_dump_json().encode()) if found else None,
            reason="" if found else one_line(reason, most=400),
            refused=tuple(
                Refusal(fault=left.fault, left=put(left.raw) if left.raw else None) for left in tries if left.fault
            ),
            told=runner.report(),
            egress=note_egress(whole.decisions),
            prompt=put(prompt.encode("utf-8", "backslashreplace")),
            output=put(whole.stdout + whole.stderr),
            duration_s=round(whole.duration_s, 3),
        )


def table_named(factory: Factory, name: str) -> settings.Agent:
    """An agent's table.

    Raises:
        AgentError: It was taken out of the configuration since the run was planned.
    """
    table = factory.config.agents.get(name) if name else factory.config.agent
    if table is None:
        raise _gone(name)
    return table


def agent_named(factory: Factory, name: str) -> Agent:
    """An agent. Raises AgentError where it was taken out of the configuration since the run was planned."""
    if name not in factory.agents:
        raise _gone(name)
    return factory.agents[name]


def guides_unread(factory: Factory, kind: str, ground: Ground) -> list[str]:
    """The repository's guides that an agent of a kind has to be told of."""
    there = [name for name in GUIDES if factory.quarantine.read_blob(ground.commit, name) is not None]
    return unread_guides(kind, there)


def _gone(name: str) -> AgentError:
    table = f"[agent.{name}]" if name else "[agent]"
    return AgentError(f"no agent {name or 'default'!r} any more", hint=f"put {table} back into switchyard.toml")
