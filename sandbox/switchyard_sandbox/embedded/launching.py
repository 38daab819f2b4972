"""From a box and a command to a job: which mounts, which view, which limits, which environment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from switchyard_sandbox.contract import Command, SandboxError
from switchyard_sandbox.embedded import confinement, staging
from switchyard_sandbox.embedded.confinement import Sources
from switchyard_sandbox.embedded.job import AUDIT, GATEWAY_PORT, Job, Mount
from switchyard_sandbox.embedded.limits import hold
from switchyard_sandbox.embedded.machine import Machine
from switchyard_sandbox.embedded.workspace import Workspace
from switchyard_sandbox.extract import View
from switchyard_sandbox.journal import Entry, lock_path
from switchyard_sandbox.programs import PLACE, Installation


@dataclass(frozen=True)
class Box:
    """One box as the driver holds it."""

    folder: Path
    entry: Entry
    workspace: Workspace
    objects: Path
    """The mirror's objects, which the box's git borrows."""
    programs: Installation | None = None

    @property
    def inbox(self) -> Path:
        """Where `put` writes."""
        return self.folder / "inbox"

    @property
    def etc(self) -> Path:
        """The box's own files of /etc."""
        return self.folder / "etc"


def make_job(machine: Machine, box: Box, command: Command, number: int, timeout_s: float, internal: list[str]) -> Job:
    """The job of a box's `number`th command.

    Raises:
        SandboxError: The command can't be handed to a process.
    """
    check_command(command)
    staged = machine.as_root or bool(box.workspace.work_lowers or box.workspace.home_lowers)
    stage = _stage(box, machine) if staged else ""
    sources = _staged_sources(stage, box.programs) if staged else _direct_sources(box)
    networked = bool(box.entry.network)
    gateway = confinement.gateway_variables(box.entry.gateway_env, f"http://127.0.0.1:{GATEWAY_PORT}")
    own = [box.entry.env, gateway, command.env]
    env = confinement.environment(
        own, proxied=networked, certificates=networked, programs=f"{PLACE}/bin" if box.programs else ""
    )
    limits = box.entry.box_limits
    held = hold(machine, limits, f"switchyard-{box.entry.id}-{number}")
    mounts, bwrap = _mounts(box, machine, stage) if staged else ([], str(machine.bwrap))
    return Job(
        bwrap=bwrap,
        arguments=confinement.arguments(sources, env, command.cwd, limits),
        command=list(command.argv),
        env={},
        cwd="/",
        uid=machine.uid,
        own_namespace=staged,
        stage=stage,
        mounts=mounts,
        groups=held.groups,
        rlimits=held.rlimits,
        cpus=held.cpus,
        pids=held.pids,
        memory_bytes=held.memory_bytes,
        watched=[str(box.workspace.upper), str(box.workspace.home)],
        disk_bytes=(limits.disk_mb << 20) + box.workspace.copied_bytes(),
        output_bytes=limits.output_mb << 20,
        timeout_s=timeout_s,
        timeout_limit="timeout",
        stall_s=command.stall_s,
        network=list(box.entry.network),
        internal=internal,
        gateway=box.entry.gateway,
        audit=str(box.folder / "exec" / str(number) / AUDIT),
        lock=str(lock_path(box.folder)),
        tree=sources.work,
        watch=list(command.watch),
    )


def view_of(box: Box) -> View:
    """How the box's work tree is looked at from outside: mounted read-only where it lies in layers."""
    workspace = box.workspace
    stamps = workspace.stamps()
    if not workspace.work_lowers:
        return View(after=str(workspace.upper), stamps=stamps)
    sources = [str(workspace.folder), str(workspace.shared.checkout), "/usr"]
    stage = staging.choose_stage(sources)
    after, before = workspace.view(stage, pristine=False), workspace.view(stage, pristine=True)
    return View(after=after.target, before=before.target, stamps=stamps, stage=stage, mounts=(after, before))


def check_command(command: Command) -> None:
    texts = [*command.argv, command.cwd, *command.env, *command.env.values()]
    if not command.argv or any("\0" in text for text in texts) or any("=" in name or not name for name in command.env):
        raise SandboxError(
            f"{command.argv!r} is no command that a process can be given",
            hint="an argv is not empty, nothing holds NUL, and names of variables hold no '='",
        )


def _stage(box: Box, machine: Machine) -> str:
    programs = [source for source, _ in box.programs.inner] if box.programs else []
    reached = [box.entry.gateway] if box.entry.gateway else []
    stage = staging.choose_stage([str(box.folder), str(machine.bwrap), "/usr", "/etc", *programs, *reached])
    if not stage:
        raise SandboxError(
            f"there is no directory to stage the mounts of {box.folder}", hint="make an empty, world-readable /mnt"
        )
    return stage


def _staged_sources(stage: str, programs: Installation | None) -> Sources:
    own = Sources(f"{stage}/work", f"{stage}/home", f"{stage}/inbox", f"{stage}/etc", f"{stage}/objects")
    if programs is None:
        return own
    outer = [(f"{stage}/outer-{number}", place) for number, place in enumerate(programs.outer)]
    return replace(own, programs=((f"{stage}/programs", PLACE), *outer), covered=_covered(programs))


def _direct_sources(box: Box) -> Sources:
    workspace = box.workspace
    own = Sources(str(workspace.upper), str(workspace.home), str(box.inbox), str(box.etc), str(box.objects))
    if (programs := box.programs) is None:
        return own
    inner = [(source, f"{PLACE}/{place}") for source, place in programs.inner]
    outer = [(place, place) for place in programs.outer]
    mounts = ((str(programs.folder), PLACE), *inner, *outer)
    return replace(own, programs=mounts, covered=_covered(programs))


def _covered(programs: Installation) -> tuple[str, ...]:
    return tuple(f"{PLACE}/{place}" for place in programs.covered)


def _mounts(box: Box, machine: Machine, stage: str) -> tuple[list[Mount], str]:
    """Everything below the stage, and where bubblewrap is found there."""
    own = [
        *box.workspace.mounts(stage),
        Mount(target=f"{stage}/inbox", source=str(box.inbox)),
        Mount(target=f"{stage}/etc", source=str(box.etc)),
        Mount(target=f"{stage}/objects", source=str(box.objects)),
        *(_program_mounts(box.programs, stage) if box.programs else []),
    ]
    place, bwrap = staging.stage_bwrap(str(machine.bwrap), stage)
    return [*own, *place], bwrap


def _program_mounts(programs: Installation, stage: str) -> list[Mount]:
    """The skeleton with everything mounted in it: one tree, which bubblewrap then takes as a whole."""
    return [
        Mount(target=f"{stage}/programs", source=str(programs.folder)),
        *(Mount(target=f"{stage}/programs/{place}", source=source) for source, place in programs.inner),
        *(Mount(target=f"{stage}/outer-{number}", source=place) for number, place in enumerate(programs.outer)),
    ]
