"""Coverage of what an attempt changed: the repository's command in a fresh sandbox, and the report that it leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from switchyard_git import CommitSha
from switchyard_sandbox import BoxId, Command, Decision, Finished

from switchyard.config.gates import CoverageConfig
from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.coverage import (
    GATE,
    MOST_REPORT_BYTES,
    Places,
    Report,
    Unreadable,
    judge_coverage,
    read_report,
)
from switchyard.gates.sources import runnable_files
from switchyard.packets import Asks, GateFinding, GateResult, PlannedTask, RunPlan
from switchyard.quoting import block, code
from switchyard.workflow.checking import fresh_box, run_in_box, tail
from switchyard.workflow.factory import Factory

NOT_STARTED = (126, 127)
_READ_S = 60.0
_MOST_READ = MOST_REPORT_BYTES + 1
# NUL parts the files of a folder: no report holds one.
_READ = (
    'if [ -d "./$1" ]; then for file in "./$1"/*.json; do [ -f "$file" ] || continue; '
    f'head -c {_MOST_READ} "$file"; printf "\\000"; done | head -c {_MOST_READ}; '
    f'else [ -f "./$1" ] && head -c {_MOST_READ} "./$1"; fi'
)
_MODULE = re.compile(rb"^\s*module\s+\"?([^\s\"]{1,500})\"?\s*$", re.MULTILINE)
_MOST_MODULES = 200


def cover(
    factory: Factory,
    plan: RunPlan,
    task: PlannedTask,
    attempt: int,
    commit: CommitSha,
    change: Change,
    on_decisions: Callable[[Sequence[Decision]], None],
) -> GateResult:
    """Measure which changed lines of an attempt tests run.

    Args:
        change: The attempt against its task's base.
        on_decisions: Told what set-up asked of its proxy, where it runs for this sandbox.

    Raises:
        SandboxError: The sandbox could not be had; that says nothing about the commit.
    """
    wanted = factory.config.gates.coverage
    if wanted is None:
        return GateResult.skipped(GATE, "no command is configured in `[gates.coverage]`")
    files = runnable_files(change, wanted.exclude)
    if not files:
        return GateResult.skipped(GATE, "no source file that tests could run was changed")
    labels = {"run": plan.run_id, "task": task.id, "attempt": str(attempt), "role": "gate:coverage"}
    with fresh_box(factory, labels, factory.code(plan.base_commit, commit), on_decisions) as box:
        # What lies there already, the attempt brought along.
        factory.driver.execute(box, Command(("rm", "-rf", "--", *wanted.report), timeout_s=_READ_S))
        finished = run_in_box(factory, box, wanted.command)
        root = factory.driver.workdir(box)
        found = [_read(factory, box, report) for report in wanted.report] if finished.ok else []
    if not finished.ok:
        return _of_failed_run(wanted, finished)
    return _judge(factory, commit, wanted, files, root, found)


def _read(factory: Factory, box: BoxId, report: str) -> list[bytes]:
    """What lies where the report should; several files where that is a folder."""
    read = factory.driver.execute(box, Command(("sh", "-c", _READ, "sh", report), timeout_s=_READ_S))
    parts = read.stdout.split(b"\0") if read.ok and not read.truncated else []
    return [part for part in parts if part.strip()]


def _judge(
    factory: Factory,
    commit: CommitSha,
    wanted: CoverageConfig,
    files: Sequence[ChangedFile],
    root: str,
    found: Sequence[Sequence[bytes]],
) -> GateResult:
    paths = frozenset(entry.path for entry in factory.quarantine.list_tree(commit))
    reports: list[tuple[Report, Places]] = []
    for name, parts in zip(wanted.report, found, strict=True):
        if not parts:
            return _of_fault(wanted, f"the coverage command passed, and left no report at {code(name)}")
        for raw in parts:
            try:
                report = read_report(raw)
            except Unreadable as err:
                return _of_fault(wanted, f"the report at {code(name)} can't be read", code(str(err)))
            modules = _modules(factory, commit, paths) if report.tool == "Go" else {}
            reports.append((report, Places(root, name.rpartition("/")[0], paths, modules)))
    artifact = factory.artifacts.put(b"\n".join(raw for parts in found for raw in parts))
    return judge_coverage(files, reports, wanted.percent).model_copy(update={"artifact": artifact})


def _modules(factory: Factory, commit: CommitSha, paths: frozenset[str]) -> dict[str, str]:
    """Go module → its folder."""
    modules: dict[str, str] = {}
    for path in sorted(path for path in paths if path.rpartition("/")[2] == "go.mod")[:_MOST_MODULES]:
        named = _MODULE.search((factory.quarantine.read_blob(commit, path) or b"")[:100_000])
        if named:
            modules[named[1].decode("utf-8", "replace")] = path.rpartition("/")[0]
    return modules


def _of_failed_run(wanted: CoverageConfig, finished: Finished) -> GateResult:
    """The agent may mend what its tests say; that a command is missing it can't."""
    if finished.exit_code in NOT_STARTED:
        return _of_fault(wanted, f"the coverage command {code(wanted.command)} could not be started", _said(finished))
    if finished.limit:
        how = f"was ended by the {finished.limit} limit after {finished.duration_s:.1f} s"
    else:
        how = f"was ended by signal {finished.signal}" if finished.signal else f"exited with {finished.exit_code}"
    asks: Asks = "repair" if wanted.percent else "note"
    title = f"the coverage command {code(wanted.command)} {how}"
    return GateResult.of(GATE, [GateFinding(title=title, asks=asks, detail=_said(finished))], "nothing was measured")


def _of_fault(wanted: CoverageConfig, title: str, detail: str = "") -> GateResult:
    """What a person must see to: no edit of the agent's would help."""
    asks: Asks = "person" if wanted.percent else "note"
    return GateResult.of(GATE, [GateFinding(title=title, asks=asks, detail=detail)], "nothing was measured")


def _said(finished: Finished) -> str:
    said = tail(finished.stdout + finished.stderr)
    return block(said) if said else ""
