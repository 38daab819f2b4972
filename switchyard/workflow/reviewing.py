"""One review: an agent in a sandbox of its own, on a change by nobody it hears of, and the verdict that it leaves."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pathspec import GitIgnoreSpec
from switchyard_git import CommitSha, ObjectSha
from switchyard_sandbox import BoxId, BoxSpec, CodeIn, Command, SetUp

from switchyard import config as settings
from switchyard.agents import Agent, AgentError, AgentRunner, Assignment, Places, Timers
from switchyard.agents.events import one_line
from switchyard.agents.result import SCHEMA_FILE, LeftResult, collect_result, correction, result_schema
from switchyard.agents.reviewing import Matter, ReviewBriefing, render_review
from switchyard.gates.policy import OBEYED_PATTERNS
from switchyard.packets import CheckResult, Judge, ModelUse, QaResultPacket, RunId, TaskId, Verdict
from switchyard.workflow.checking import destroy_boxes
from switchyard.workflow.examining import script_of
from switchyard.workflow.factory import Factory, signature
from switchyard.workflow.outside import ModelAccess
from switchyard.workflow.paths import printable
from switchyard.workflow.programs import context_program

DIFF_FILE = "change.diff"
DIFF_CAP_BYTES = 10_000_000
ABSENT_MODE = "000000"
VERSION_S = 30.0
SILENT = "there is no such file"
"""What is wrong with a verdict that was not written."""


@dataclass(frozen=True)
class Review:
    """What one reviewer is asked. It is the same for a change and for a canary."""

    judge: Judge
    labels: Mapping[str, str]
    """How its sandbox is found again; nothing of them is seen in it."""
    task_id: TaskId
    commit: CommitSha
    """What the verdict is about."""
    code: CodeIn
    """What lies in the sandbox."""
    matter: Matter
    diff: bytes
    changed: tuple[str, ...]
    checks: Sequence[CheckResult]
    seed: CommitSha
    """The commit whose graph `switchyard context` starts from, if that is known."""
    setup: SetUp = field(default_factory=SetUp)


def run_review(
    factory: Factory, review: Review, on_created: Callable[[BoxId], None]
) -> tuple[Verdict, tuple[ModelUse, ...]]:
    """Let the reviewer look, and read its verdict; its sandbox is gone afterwards, with all that it changed.

    Raises:
        SandboxError: The sandbox could not be had or was lost; that says nothing about the change.
        AgentError: The reviewer can't be started as configured.
    """
    minutes = factory.config.verify.minutes
    ttl_s = minutes * 60 + 300
    with ModelAccess(factory.gateway, review.labels, ttl_s) as models:
        box = _open_box(factory, review, models, ttl_s)
        try:
            on_created(box)
            verdict = _ask(factory, box, review, minutes * 60)
        finally:
            factory.driver.destroy(box)
        return verdict, models.used()


def agent_table(config: settings.Config, name: str) -> settings.Agent:
    """The agent of a name.

    Raises:
        AgentError: It was taken out of the configuration meanwhile.
    """
    table = config.agents.get(name) if name else config.agent
    if table is None:
        shown = f"[agent.{name}]" if name else "[agent]"
        raise AgentError(f"no agent {name or 'default'!r} any more", hint=f"put {shown} back into switchyard.toml")
    return table


def reviewed_commit(factory: Factory, judge: Judge, base: CommitSha, commit: CommitSha) -> CommitSha:
    """The commit as a reviewer finds it: without task files, and with what agents obey or are as it stands on the base.

    Whoever made the change must not be the one who says what its reviewers run and obey.
    """
    repository = factory.quarantine
    obeyed = GitIgnoreSpec.from_lines(OBEYED_PATTERNS)
    is_own = owned_by(agent_table(factory.config, judge.agent).command)
    updates: dict[str, tuple[str, ObjectSha] | None] = {
        change.path: None if change.old_mode == ABSENT_MODE else (change.old_mode, change.old_sha)
        for change in repository.changes(base, commit)
        if obeyed.match_file(change.path) or is_own(change.path)
    }
    tasks = f"{posixpath.normpath(factory.config.tasks.path)}/"
    updates.update({path: None for path, _, _ in repository.list_entries(commit) if path.startswith(tasks)})
    if not updates:
        return commit
    tree = repository.write_tree_from(repository.tree_of(commit), updates)
    who = signature(0)
    return repository.commit_tree(tree, [base], "The change\n", author=who, committer=who)


def owned_by(command: Sequence[str]) -> Callable[[str], bool]:
    """Says of a path whether it belongs to an agent's command: the folder of its script, or a file that it names."""
    script = script_of(command)
    words = [word for given in command for word in given.split()]
    named = {posixpath.normpath(word) for word in words}
    folders = {posixpath.dirname(script)}
    for flag, module in pairwise(command):
        if flag == "-m":
            path = module.replace(".", "/")
            named.add(f"{path}.py")
            folders.add(posixpath.dirname(path) or path)
    inside = tuple(f"{folder}/" for folder in folders if folder)
    return lambda path: path in named or path.startswith(inside)


def diff_of(factory: Factory, base: CommitSha, commit: CommitSha) -> tuple[bytes, tuple[str, ...]]:
    """The change as a patch, and the paths in it."""
    repository = factory.quarantine
    changed = tuple(sorted(printable(change.path) for change in repository.changes(base, commit)))
    return repository.patch(base, commit, max_bytes=DIFF_CAP_BYTES), changed


def _open_box(factory: Factory, review: Review, models: ModelAccess, ttl_s: float) -> BoxId:
    sandbox = factory.config.sandbox
    agent = _agent(factory, review.judge)
    destroy_boxes(factory, dict(review.labels))
    return factory.driver.create(
        BoxSpec(
            labels=review.labels,
            code=review.code,
            limits=factory.limits(),
            setup=review.setup,
            env=sandbox.env,
            # No host is open to it, whatever is to the one who made the change.
            gateway=models.granted,
            programs=(context_program(factory.places.seed(review.seed)), *agent.programs),
            ttl_s=ttl_s,
            workspace=sandbox.workspace,
            allow_degraded=sandbox.allow_degraded,
        )
    )


def _ask(factory: Factory, box: BoxId, review: Review, total_s: float) -> Verdict:
    agent = _agent(factory, review.judge)
    timers = Timers(total_s=total_s, stall_s=factory.config.sandbox.stall_minutes * 60)
    runner = AgentRunner(factory.driver, box, agent, timers)
    assignment = _assign(factory, box, review)
    runner.begin(assignment)
    left = _collect(factory, box)
    if left.fault and runner.turns[-1].outcome.ok and runner.go_on(assignment, correction(left.fault)):
        left = _collect(factory, box)
    outcome = runner.turns[-1].outcome
    reason = outcome.reason if not outcome.ok else f"its result.json is no verdict: {left.fault}" if left.fault else ""
    whole, put = runner.whole(), factory.artifacts.put
    return Verdict(
        judge=review.judge,
        program=_version(factory, box, review.judge),
        commit=review.commit,
        verdict=left.result.verdict if left.result and not reason else "none",
        reason=one_line(reason),
        result=None if reason else left.result,
        output=put(whole.stdout + whole.stderr),
        left=put(left.raw) if left.raw else None,
    )


def _collect(factory: Factory, box: BoxId) -> LeftResult[QaResultPacket]:
    return collect_result(factory.driver, box, QaResultPacket) or LeftResult(b"", None, SILENT)


def _assign(factory: Factory, box: BoxId, review: Review) -> Assignment:
    driver = factory.driver
    diff_file = driver.put(box, DIFF_FILE, review.diff)
    briefing = ReviewBriefing(
        reviewer=review.judge.reviewer,
        matter=review.matter,
        diff=review.diff,
        diff_file=diff_file,
        changed=review.changed,
        checks=review.checks,
        schema_file=driver.put(box, SCHEMA_FILE, result_schema(QaResultPacket)),
    )
    prompt = render_review(briefing)
    prompt_file = driver.put(box, "prompt.md", prompt.encode())
    return Assignment(
        run_id=RunId("review"),
        task_id=review.task_id,
        # Which attempt it is would tell of others.
        attempt=1,
        model=review.judge.model,
        places=Places(workdir=driver.workdir(box), prompt_file=prompt_file, context_file=diff_file),
        prompt=prompt,
    )


def _version(factory: Factory, box: BoxId, judge: Judge) -> str:
    """What a known program says of its version; a plain command is not asked."""
    if judge.kind == "command":
        return ""
    table = agent_table(factory.config, judge.agent)
    program = posixpath.basename((table.command or (judge.kind,))[0])
    told = factory.driver.execute(box, Command((program, "--version"), timeout_s=VERSION_S))
    return one_line(told.stdout.decode("utf-8", "replace"), most=100) if told.ok else ""


def _agent(factory: Factory, judge: Judge) -> Agent:
    agent_table(factory.config, judge.agent)
    return factory.agents[judge.agent]
