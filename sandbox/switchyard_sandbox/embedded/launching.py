"""From a box and a command to a job: which mounts, which view, which limits, which environment."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from switchyard_sandbox.contract import WORKDIR, Command, IsolationUnavailable, Limits, SandboxError, TerminalSize
from switchyard_sandbox.embedded import staging
from switchyard_sandbox.embedded.confinement import (
    CERTIFICATES,
    HOME,
    Sources,
    arguments,
    as_arguments,
    environment,
    gateway_variables,
    tree,
)
from switchyard_sandbox.embedded.etc import prepare
from switchyard_sandbox.embedded.job import GATEWAY_PORT, PLAN, Job, Mount, Plan
from switchyard_sandbox.embedded.limits import hold
from switchyard_sandbox.embedded.machine import Machine, OverlayKind
from switchyard_sandbox.embedded.workspace import Shared, Workspace
from switchyard_sandbox.extract import View
from switchyard_sandbox.journal import Entry
from switchyard_sandbox.programs import PLACE, Installation, installation
from switchyard_sandbox.supervision import stand

INBOX_FOLDER = "inbox"
TERMINAL_KIND = "xterm-256color"
_ROOT, _MEMORY = "root", "memory"


@dataclass(frozen=True)
class Box:
    """One box as the driver holds it."""

    folder: Path
    entry: Entry
    plan: Plan
    workspace: Workspace
    programs: Installation | None = None

    @property
    def inbox(self) -> Path:
        """Where `put` writes."""
        return self.folder / INBOX_FOLDER


def make_plan(machine: Machine, folder: Path, entry: Entry, shared: Shared, objects: Path) -> tuple[Plan, Workspace]:
    """What a new box's supervisor is to hold, and where the box's files will lie.

    Raises:
        IsolationUnavailable: The workspace that was asked for can't be had here.
    """
    overlay = None if entry.workspace == "copy" else machine.overlay
    programs = installation(folder)
    sources = _sources(folder, entry, objects, programs)
    staged = machine.as_root or overlay is not None
    stage = _stage(folder, machine, shared, entry, programs) if staged else ""
    workspace = Workspace(folder, shared, overlay, _memory_place(machine, entry, stage))
    root = f"{stage}/{_ROOT}"
    limits = _limits(entry)
    mounts = [
        *(_below(root, item) for item in tree(sources)),
        *workspace.mounts(root + WORKDIR, root + HOME, machine.uid, limits.disk_mb),
        *staging.stage_bwrap(str(machine.bwrap), stage)[0],
    ]
    plan = Plan(
        place=str(folder),
        ends=entry.created + entry.ttl_s,
        uid=machine.uid,
        stage=stage,
        mounts=mounts if stage else [],
        groups=hold(machine, limits, f"switchyard-{entry.id}").groups,
        once=bool(workspace.memory),
        shared=(str(shared.checkout), str(shared.layer or "")),
        overlay=overlay,
        objects=str(objects),
    )
    return plan, workspace


def open_box(folder: Path, entry: Entry) -> Box:
    """A box from its files."""
    plan = Plan.load((folder / PLAN).read_text())
    checkout, layer = plan.shared
    shared = Shared(Path(checkout), Path(layer) if layer else None)
    memory = f"{plan.stage}/{_MEMORY}" if plan.once else ""
    overlay = cast("OverlayKind | None", plan.overlay)
    return Box(folder, entry, plan, Workspace(folder, shared, overlay, memory), installation(folder))


def make_job(
    machine: Machine, box: Box, command: Command, folder: Path, internal: list[str], size: TerminalSize | None = None
) -> Job:
    """A command of a box as its supervisor takes it.

    Raises:
        SandboxError: The command can't be handed to a process.
    """
    check_command(command)
    entry, stage, limits = box.entry, box.plan.stage, _limits(box.entry)
    held = hold(machine, limits, "")
    return Job(
        folder=str(folder),
        bwrap=staging.stage_bwrap(str(machine.bwrap), stage)[1] if stage else str(machine.bwrap),
        arguments=arguments(_base(box), _environment(box, command, size), command.cwd, entry.box_limits),
        command=list(command.argv),
        env={},
        cwd="/",
        rlimits=held.rlimits,
        cpus=held.cpus,
        pids=held.pids,
        memory_bytes=held.memory_bytes,
        # In memory the kernel itself holds the limit.
        watched=[] if box.workspace.memory else [str(box.workspace.upper), str(box.workspace.home)],
        disk_bytes=(limits.disk_mb << 20) + box.workspace.copied_bytes(),
        output_bytes=limits.output_mb << 20,
        timeout_s=allowed_s(entry, command),
        stall_s=command.stall_s,
        network=list(entry.network),
        internal=internal,
        gateway=entry.gateway,
        tree=f"{stage}/{_ROOT}{WORKDIR}" if stage else str(box.workspace.upper),
        watch=list(command.watch),
        terminal=(size.rows, size.columns) if size else None,
    )


def view_of(box: Box) -> View:
    """How the box's work tree is looked at: among the mounts of its supervisor, where it lies in layers."""
    workspace, stage = box.workspace, box.plan.stage
    if not workspace.work_lowers:
        return View(after=str(workspace.upper), stamps=workspace.stamps())
    before = workspace.before(f"{stage}/before")
    after = f"{stage}/{_ROOT}{WORKDIR}"
    return View(after, before.target, workspace.stamps(), namespace=stand(box.folder), mounts=(before,))


def allowed_s(entry: Entry, command: Command) -> float:
    """How long a command may take: no longer than its box lives."""
    remaining = max(0.0, entry.remaining_s(time.time()))
    return remaining if command.timeout_s is None else min(command.timeout_s, remaining)


def check_command(command: Command) -> None:
    texts = [*command.argv, command.cwd, *command.env, *command.env.values()]
    if not command.argv or any("\0" in text for text in texts) or any("=" in name or not name for name in command.env):
        raise SandboxError(
            f"{command.argv!r} is no command that a process can be given",
            hint="an argv is not empty, nothing holds NUL, and names of variables hold no '='",
        )


def _base(box: Box) -> list[str]:
    """bubblewrap's options for the tree: made by the supervisor, or else by itself."""
    if box.plan.stage:
        return ["--bind", f"{box.plan.stage}/{_ROOT}", "/"]
    own = box.workspace.mounts(WORKDIR, HOME, None, 0)
    return as_arguments([*tree(_sources(box.folder, box.entry, Path(box.plan.objects), box.programs)), *own])


def _environment(box: Box, command: Command, size: TerminalSize | None) -> dict[str, str]:
    networked = bool(box.entry.network)
    gateway = gateway_variables(box.entry.gateway_env, f"http://127.0.0.1:{GATEWAY_PORT}")
    terminal = {"TERM": TERMINAL_KIND} if size else {}
    extra = [terminal, box.entry.env, gateway, command.env]
    programs = f"{PLACE}/bin" if box.programs else ""
    return environment(extra, proxied=networked, certificates=networked, programs=programs)


def _sources(folder: Path, entry: Entry, objects: Path, programs: Installation | None) -> Sources:
    sources = Sources(
        inbox=str(folder / INBOX_FOLDER),
        objects=str(objects),
        etc=str(prepare(folder.parent.parent)),
        certificates=str(folder / Path(CERTIFICATES).name) if entry.network else "",
    )
    if programs is None:
        return sources
    inner = [(source, f"{PLACE}/{place}") for source, place in programs.inner]
    outer = [(place, place) for place in programs.outer]
    covered = tuple(f"{PLACE}/{place}" for place in programs.covered)
    return replace(sources, programs=((str(programs.folder), PLACE), *inner, *outer), covered=covered)


def _below(root: str, item: Mount) -> Mount:
    return Mount(**{**vars(item), "target": root + item.target})


def _limits(entry: Entry) -> Limits:
    """The box's limits; what it writes to memory is charged there, on top of what its processes may use."""
    limits = entry.box_limits
    if entry.workspace != "memory":
        return limits
    return replace(limits, memory_mb=limits.memory_mb + limits.disk_mb)


def _memory_place(machine: Machine, entry: Entry, stage: str) -> str:
    if entry.workspace != "memory":
        return ""
    if not machine.overlay_in_memory:
        raise IsolationUnavailable(
            "a workspace in memory can't be had here",
            hint='run as root on a kernel whose tmpfs can hold an overlay, or choose workspace="disk"',
        )
    return f"{stage}/{_MEMORY}"


def _stage(folder: Path, machine: Machine, shared: Shared, entry: Entry, programs: Installation | None) -> str:
    inner = [source for source, _ in programs.inner] if programs else []
    own = [str(folder), str(shared.checkout), str(machine.bwrap), *([entry.gateway] if entry.gateway else [])]
    stage = staging.choose_stage([*own, "/usr", "/etc", *inner])
    if not stage:
        raise SandboxError(
            f"there is no directory to stage the mounts of {folder}", hint="make an empty, world-readable /mnt"
        )
    return stage
