"""Findings of agents as drafts in the tracker: each once, however many agents say it; a person approves or does not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from switchyard.agents.result import read_result
from switchyard.errors import UsageError
from switchyard.ledger import Event, EventType, read_events
from switchyard.packets import (
    ArtifactRef,
    AttemptResult,
    BuildResultPacket,
    Discovery,
    Filing,
    Filings,
    FoundList,
    Gathered,
    MarkedFinding,
    PlannedTask,
    QaFinding,
    RunPlan,
    TaskId,
)
from switchyard.tasks import TaskStore
from switchyard.tasks.drafts import draft_of, gist_of_finding, gist_of_task, plain_line
from switchyard.tasks.likeness import Gist, find_twin
from switchyard.tasks.load import read_tasks
from switchyard.workflow.factory import Factory
from switchyard.workflow.failures import Stopped
from switchyard.workflow.journal import Journal

MOST_OF_A_TASK = 100
"""More findings of one task are not looked at."""
DETAIL_CHARS = 600
PATHS = 20
_EVENTS: dict[str, EventType] = {"filed": "finding_filed", "merged": "finding_merged", "kept": "finding_kept"}


class Filer:
    """Files what was found in the work on one task."""

    def __init__(self, factory: Factory, plan: RunPlan, task: PlannedTask, journal: Journal) -> None:
        self._factory, self._plan, self._task, self._journal = factory, plan, task, journal

    def file(self, attempts: Sequence[AttemptResult]) -> None:
        """File every finding once; what keeps them from being filed never stops the task."""
        journal = self._journal
        try:
            found = Gathered.model_validate(journal.step("gather findings", lambda: self._gather(attempts)))
            if found.artifact is None:
                return
            for mark in found.marks:
                journal.intend("finding", mark, {"findings": found.artifact})
            filed = journal.step("file findings", lambda: self._file_all(found))
        except Stopped:
            return
        for filing in Filings.model_validate(filed).filings:
            journal.complete("finding", filing.mark, _EVENTS[filing.outcome], filing.facts, artifact=found.artifact)

    def _gather(self, attempts: Sequence[AttemptResult]) -> Gathered:
        said = dict.fromkeys([*self._of_builder(attempts), *self._of_reviewers()])
        findings = tuple(
            MarkedFinding(mark=str(number), found_by=found_by, discovery=discovery)
            for number, (found_by, discovery) in enumerate(list(said)[:MOST_OF_A_TASK], 1)
        )
        if not findings:
            return Gathered()
        artifact = self._factory.artifacts.put(FoundList(findings=findings).model_dump_json().encode())
        return Gathered(artifact=artifact, marks=tuple(finding.mark for finding in findings))

    def _of_builder(self, attempts: Sequence[AttemptResult]) -> Iterator[tuple[str, Discovery]]:
        for attempt in attempts:
            if attempt.result is not None and attempt.result.discovered:
                left = read_result(self._factory.artifacts.get(attempt.result.artifact), BuildResultPacket)
                for discovery in left.result.discovered if left.result else ():
                    yield "builder", discovery

    def _of_reviewers(self) -> Iterator[tuple[str, Discovery]]:
        """What reviewers called out of the task's scope, as their revealed verdicts have it."""
        run_id, task_id = self._plan.run_id, self._task.id
        for event in self._journal.read(lambda c: list(read_events(c, run_id=run_id, task_id=task_id))):
            if event.event_type == "verdict_revealed" and event.artifact_reference:
                verdict = json.loads(self._factory.artifacts.get(ArtifactRef(event.artifact_reference)))
                for found in (verdict.get("result") or {}).get("findings", []):
                    if found.get("out_of_scope"):
                        yield (
                            str(event.data.get("reviewer", "reviewer")),
                            _as_discovery(QaFinding.model_validate(found)),
                        )

    def _file_all(self, found: Gathered) -> Filings:
        assert found.artifact is not None
        told = FoundList.model_validate_json(self._factory.artifacts.get(found.artifact))
        # Tasks that end at the same time may have found the same.
        with self._factory.filing:
            desk = self._open_desk()
            filings = []
            for finding in told.findings:
                filing = self._file_one(desk, finding)
                # At once, so that the next task to file sees it.
                self._journal.note(
                    f"{_EVENTS[filing.outcome]}:{filing.mark}",
                    _EVENTS[filing.outcome],
                    filing.facts,
                    artifact=found.artifact,
                )
                filings.append(filing)
        return Filings(filings=tuple(filings))

    def _file_one(self, desk: _Desk, finding: MarkedFinding) -> Filing:
        discovery = finding.discovery
        filing = Filing(
            mark=finding.mark,
            found_by=finding.found_by,
            outcome="kept",
            title=plain_line(discovery.title),
            detail=discovery.detail[:DETAIL_CHARS],
            paths=discovery.paths[:PATHS],
        )
        draft = draft_of(discovery, self._task.id, f"{self._plan.run_id}/{self._task.id}/{finding.mark}")
        gist = gist_of_finding(discovery)
        if desk.store is None or draft.id in desk.known:
            # An earlier try of this step wrote it: it is adopted.
            outcome = {"reason": desk.why_not} if desk.store is None else {"outcome": "filed", "task": draft.id}
            return filing.model_copy(update=outcome)
        twin = find_twin(gist, [known for _, known in desk.gists])
        if twin is not None:
            return filing.model_copy(update={"outcome": "merged", "task": desk.gists[twin][0]})
        if desk.filed >= self._factory.config.tasks.most_findings:
            return filing.model_copy(update={"reason": f"the run has filed {desk.filed} already"})
        try:
            desk.store.file_draft(draft)
        except UsageError as err:
            return filing.model_copy(update={"reason": str(err)})
        desk.take(draft.id, gist)
        return filing.model_copy(update={"outcome": "filed", "task": draft.id})

    def _open_desk(self) -> _Desk:
        store, why_not = self._store()
        desk = _Desk(store, why_not)
        if store is not None:
            tasks, _ = read_tasks(store.folder)
            desk.known = {task.id for task in tasks}
            desk.gists += [(task.id, gist_of_task(task.title, task.body, task.targets)) for task in tasks]
        planned = [task for task in self._plan.tasks if task.id not in desk.known]
        desk.gists += [(task.id, gist_of_task(task.title, task.body, task.targets)) for task in planned]
        self._remember(desk)
        return desk

    def _remember(self, desk: _Desk) -> None:
        """What was filed before, though a person may have removed the draft since: that was an answer."""
        for event in self._journal.read(_filed_rows):
            data = event.data
            desk.filed += event.run_id == self._plan.run_id
            if data["task"] not in desk.known:
                desk.gists.append((TaskId(data["task"]), Gist.of(data["title"], data["detail"], data["paths"])))

    def _store(self) -> tuple[TaskStore | None, str]:
        """The task files; or None, and why nothing can be filed there."""
        tasks, root = self._factory.config.tasks, self._factory.origin.worktree
        if tasks.source != "files":
            return None, "tasks are no files here"
        if root is None:
            return None, "the repository is bare"
        folder = root / tasks.path
        if not _is_within(folder, root):
            return None, f"{tasks.path} leads out of the work tree"
        return TaskStore(folder), ""


@dataclass
class _Desk:
    """What is known while findings are filed."""

    store: TaskStore | None
    why_not: str
    known: set[TaskId] = field(default_factory=set)
    """Tasks that have a file."""
    gists: list[tuple[TaskId, Gist]] = field(default_factory=list)
    filed: int = 0
    """How many this run has filed."""

    def take(self, task_id: TaskId, gist: Gist) -> None:
        self.known.add(task_id)
        self.gists.append((task_id, gist))
        self.filed += 1


def _filed_rows(connection: sa.Connection) -> list[Event]:
    return list(read_events(connection, event_type="finding_filed"))


def _as_discovery(found: QaFinding) -> Discovery:
    return Discovery(title=found.title, detail=found.detail, paths=(found.path,) if found.path else ())


def _is_within(folder: Path, root: Path) -> bool:
    try:
        return folder.resolve().is_relative_to(root.resolve())
    except OSError:
        return False
