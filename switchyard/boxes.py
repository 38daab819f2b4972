"""Single sandboxes, as people ask for them: one command, a look inside, what is there, and what is to go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from switchyard_git import CommitSha, GitError, Repository, UnknownRevision

from switchyard.errors import UsageError
from switchyard.ledger import TaskView
from switchyard.wiring import open_driver, open_gateway, open_others, remote_for_boxes
from switchyard.workflow.boxing import BoxRequest, opened_box, run_boxed
from switchyard.workflow.reaping import reap_patiently
from switchyard.workflow.stores import open_stores
from switchyard.workspace import Workspace

if TYPE_CHECKING:
    from switchyard_sandbox import (
        BoxId,
        BoxInfo,
        CodeIn,
        Driver,
        Enforcement,
        OutputSink,
        SetUp,
        Terminal,
        TerminalSize,
    )

    from switchyard.workflow.boxing import Boxed

_SHELL = """
(: < /dev/tty) 2> /dev/null || own="$(command -v setsid) -c"
if command -v bash > /dev/null; then exec $own bash -i; else exec $own sh -i; fi
"""
SHELL = ("/bin/sh", "-c", _SHELL)
"""A shell that a person can use; where its session has no terminal yet, in one that has: Ctrl-C needs that."""


@dataclass(frozen=True)
class BoxOptions:
    """What `sandbox run` and `sandbox shell` were asked for; None leaves it to the configuration."""

    argv: tuple[str, ...]
    at: str = "HEAD"
    sparse: tuple[str, ...] = ()
    timeout_s: float | None = None
    stall_s: float | None = None
    memory_mb: int | None = None
    keep: bool = False
    accept_no_isolation: bool = False
    stdin: bytes = b""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where keys are looked up."""
    tell: Callable[[str], None] | None = field(default=None, repr=False)
    """Takes what a person should know before the command says anything."""


@dataclass(frozen=True)
class Inventory:
    """Boxes of all kinds, and what could not be asked."""

    boxes: tuple[BoxInfo, ...]
    faults: tuple[str, ...]


def run_in_box(workspace: Workspace, options: BoxOptions, sink: OutputSink | None) -> Boxed:
    """Run one command in a sandbox at a revision, exactly as a task would.

    Args:
        sink: Takes the output as it comes, and none of it is kept; None: all is kept, as far as a task's would be.

    Raises:
        UnknownRevision: There is no such revision.
        UsageError: The revision has no file or folder of a name that `sparse` gives.
        SandboxError: The sandbox could not be had.
        StateUnwritable: The disk below the state folder is full.
    """
    driver = open_driver(workspace, options.environ, accept_no_isolation=options.accept_no_isolation)
    with _disk_told(workspace):
        code, request = _code(workspace, options), _request(options, passes_output=sink is not None)
        gateway = open_gateway(workspace, options.environ)
        reap_patiently(driver)
        return run_boxed(driver, workspace.config, workspace.places, code, request, sink, gateway)


@contextmanager
def shell_in_box(
    workspace: Workspace, options: BoxOptions, box: str, size: TerminalSize
) -> Iterator[tuple[str, Terminal]]:
    """A terminal in a box: in that one, or, where it is empty, in a fresh one that is gone afterwards.

    Raises:
        BoxLost: There is no such box.
        UnknownRevision, UsageError, SandboxError: As for `run_in_box`.
    """
    from switchyard_sandbox import Command

    command = Command(options.argv, env={"TERM": options.environ.get("TERM", "dumb")})
    if box:
        driver, known = _find(workspace, options.environ, box)
        with _closing(driver.open_terminal(known, command, size)) as terminal:
            yield known, terminal
        return
    driver = open_driver(workspace, options.environ, accept_no_isolation=options.accept_no_isolation)
    code, request, gateway = _code(workspace, options), _request(options), open_gateway(workspace, options.environ)
    reap_patiently(driver)
    with (
        opened_box(driver, workspace.config, workspace.places, code, request, gateway) as fresh,
        _closing(driver.open_terminal(fresh, command, size)) as terminal,
    ):
        yield fresh, terminal


def list_boxes(workspace: Workspace, environ: Mapping[str, str], *, alone: bool) -> Inventory:
    """The boxes of the configured kind and of every other that this repository has boxes of.

    Args:
        alone: Look at the configured kind alone.
    """
    from switchyard_sandbox import SandboxError

    drivers = _drivers(workspace, environ, alone=alone)
    boxes, faults = list(drivers[0].list()), []
    for driver in drivers[1:]:
        try:
            boxes += driver.list()
        except SandboxError as err:
            faults.append(f"{driver.kind}: {err}")
    return Inventory(tuple(boxes), tuple(faults))


def reap_boxes(
    workspace: Workspace, environ: Mapping[str, str], *, alone: bool, everything: bool
) -> tuple[list[BoxId], list[str]]:
    """Remove orphans and boxes past their time, or all, of the kinds that `list_boxes` looks at; and what failed."""
    from switchyard_sandbox import SandboxError

    removed: list[BoxId] = []
    faults = []
    for number, driver in enumerate(_drivers(workspace, environ, alone=alone)):
        try:
            removed += driver.reap()
            for box in driver.list() if everything else ():
                driver.destroy(box.id)
                removed.append(box.id)
        except SandboxError as err:
            if number == 0:
                raise
            faults.append(f"{driver.kind}: {err}")
    return removed, faults


def find_missing(workspace: Workspace, lines: Sequence[Enforcement]) -> list[str]:
    """The lines of a probe that are not enforced, and without which a box of this configuration is refused."""
    config = workspace.config
    sandbox = config.sandbox
    needed = {"isolation", "uid", "seccomp", f"workspace {sandbox.workspace}"}
    if not sandbox.allow_degraded:
        needed |= {"cpus", "memory", "pids", "disk"}
    if config.gateway:
        needed |= {"network", "gateway"}
    if sandbox.network or sandbox.setup_network or sandbox.code == "remote":
        needed.add("network")
    # Whoever asks for no isolation has been told, and gets it.
    return [line.name for line in lines if not line.enforced and line.name in needed and sandbox.kind != "none"]


def end_boxes(workspace: Workspace, environ: Mapping[str, str], task: TaskView) -> list[str]:
    """End the sandboxes of a task's newest execution at once, whoever made them; returns their ids."""
    driver = open_driver(workspace, environ, accept_no_isolation=True)
    boxes = driver.list({"run": task.run_id, "task": task.id})
    for box in boxes:
        driver.destroy(box.id)
    return [box.id for box in boxes]


def _drivers(workspace: Workspace, environ: Mapping[str, str], *, alone: bool) -> list[Driver]:
    driver = open_driver(workspace, environ, accept_no_isolation=True)
    return [driver] if alone else [driver, *open_others(workspace, environ, driver)]


def _find(workspace: Workspace, environ: Mapping[str, str], name: str) -> tuple[Driver, BoxId]:
    from switchyard_sandbox import BoxLost, SandboxError

    for number, driver in enumerate(_drivers(workspace, environ, alone=False)):
        try:
            known = [box.id for box in driver.list() if box.id == name]
        except SandboxError:
            if number == 0:
                raise
            continue
        if known:
            return driver, known[0]
    raise BoxLost(f"there is no box {name}", hint="`switchyard sandbox list` shows what there is")


@contextmanager
def _disk_told(workspace: Workspace) -> Iterator[None]:
    """Whatever fails for want of room says so, and not what git or a driver made of it."""
    from switchyard_sandbox import SandboxError

    try:
        yield
    except (SandboxError, GitError, OSError) as err:
        # Imported here: it brings the database's library, which nothing else takes to run in a box.
        from switchyard.workflow.storage import StateUnwritable, blocked_by_disk

        blocked = blocked_by_disk(err, workspace.places.state.parent.absolute())
        if blocked is None:
            raise
        raise StateUnwritable(str(blocked), hint="make room on that disk, then try again") from err


@contextmanager
def _closing(terminal: Terminal) -> Iterator[Terminal]:
    try:
        yield terminal
    finally:
        terminal.close()


def _code(workspace: Workspace, options: BoxOptions) -> CodeIn:
    from switchyard_sandbox import CodeIn

    repository = workspace.repository
    commit = _resolve(repository, options.at)
    if options.tell and repository.is_dirty() and commit == repository.resolve("HEAD"):
        options.tell(f"uncommitted changes are not in the box: it has the files of {commit[:10]}")
    _refuse_unknown(repository, commit, options.sparse)
    open_stores(workspace.places)
    return CodeIn(repository.git_dir, commit, commit, options.sparse, remote_for_boxes(workspace))


def _resolve(repository: Repository, revision: str) -> CommitSha:
    try:
        return repository.resolve(revision)
    except UnknownRevision as err:
        if revision != "HEAD":
            raise
        where = repository.worktree or repository.git_dir
        hint = "commit something first, or name a revision with --at"
        raise UsageError(
            f"no commit stands on the current branch of {where}, and a box is made from one", hint=hint
        ) from err


def _refuse_unknown(repository: Repository, commit: CommitSha, paths: Sequence[str]) -> None:
    from switchyard_sandbox.sparse import laid_out

    files = [path for path, _, _ in repository.list_entries(commit)] if paths else []
    for path in paths:
        if not laid_out(files, [path]):
            raise UsageError(f"{commit[:10]} has no file or folder {path!r}", hint="name it from the repository's top")


def _request(options: BoxOptions, *, passes_output: bool = False) -> BoxRequest:
    return BoxRequest(
        argv=options.argv,
        timeout_s=options.timeout_s,
        stall_s=options.stall_s,
        memory_mb=options.memory_mb,
        stdin=options.stdin,
        keep=options.keep,
        passes_output=passes_output,
        on_setup=_announce(options.tell) if options.tell else None,
    )


def _announce(tell: Callable[[str], None]) -> Callable[[SetUp], None]:
    def announce(setup: SetUp) -> None:
        tell(f"set-up runs first, at most {setup.timeout_s / 60:g} min a command; later boxes take its result")

    return announce
