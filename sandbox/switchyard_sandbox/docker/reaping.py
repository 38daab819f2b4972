"""Journal and engine held against each other, both ways, and what only one of them knows removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from switchyard_sandbox import reaper
from switchyard_sandbox.contract import BoxId, BoxLost, SandboxError
from switchyard_sandbox.docker.client import Client, connect, told
from switchyard_sandbox.docker.container import BOX, STATE, Container, state_name
from switchyard_sandbox.docker.ending import GONE, container_of, forget_engine
from switchyard_sandbox.docker.images import prune_setups
from switchyard_sandbox.journal import Journal


def reap(client: Client, journal: Journal, state: Path, keep: frozenset[BoxId]) -> Sequence[BoxId]:
    """Destroy orphans, boxes past their ttl, and what only the journal or only the engine knows; returns the boxes."""
    gone = list(reaper.reap(journal, keep, lambda folder: end(client, folder)))
    for lost in sorted(without_container(client, journal, state) - keep):
        journal.remove(lost, lambda folder: end(client, folder))
        gone.append(lost)
    # The engine is asked first: a box that is made meanwhile is in neither list, or in the journal.
    there = _containers(client, state)
    journalled = {entry.id for entry in journal.entries()}
    for box, container in there.items():
        if box not in journalled and BoxId(box) not in keep:
            remove(client, container)
            gone.append(BoxId(box))
    _prune(client, state_name(state))
    return gone


def _prune(client: Client, state: str) -> None:
    """Remove old images of set-up, and mounts that somebody's `docker rm` left defined."""
    from docker.errors import APIError

    prune_setups(client, state)
    with told():
        # The engine's own pruning leaves out volumes that say how they are mounted.
        for volume in client.sdk.volumes.list(filters={"label": f"{STATE}={state}", "dangling": True}):
            # One that is in use by now stays.
            with suppress(APIError):
                volume.remove()


def end(client: Client, folder: Path) -> None:
    """Remove the container of a box whose folder was thrown away, and wait for the supervisors of its commands."""
    remove(client, container_of(str(folder)))
    forget_engine(str(folder))
    reaper.end_commands(folder)


def remove(client: Client, container: str) -> None:
    """Kill and remove a container. One that is gone, or about to be, is no error."""
    from docker.errors import APIError

    with told():
        try:
            client.sdk.api.remove_container(container, force=True, v=True)
        except APIError as err:
            if err.status_code not in GONE:
                raise


def without_container(client: Client, journal: Journal, state: Path) -> frozenset[BoxId]:
    """The boxes that had a container once, and have none that runs any more."""
    # In this order: a box that is made meanwhile is in neither.
    made = [entry.id for entry in journal.entries() if _was_made(journal.folder(BoxId(entry.id)))]
    running = _containers(client, state, only_running=True)
    return frozenset(BoxId(box) for box in made if box not in running)


@contextmanager
def told_if_lost(base_url: str, container: Container) -> Iterator[None]:
    """Turn what fails because the container has ended meanwhile into BoxLost; the engine is asked after a failure."""
    try:
        yield
    except BoxLost:
        raise
    except SandboxError as err:
        with connect(base_url) as client:
            if _is_running(client, container):
                raise
        raise BoxLost(f"the container {container.id[:12]} has ended: {err}", hint="create another box") from err


def _is_running(client: Client, container: Container) -> bool:
    """Whether a container still stands."""
    from docker.errors import NotFound

    # The engine hears of a process's end a moment after the kernel knows.
    if not Path(f"/proc/{container.init_pid}").exists():
        return False
    with told():
        try:
            return bool(client.sdk.api.inspect_container(container.id)["State"]["Running"])
        except NotFound:
            return False


def _containers(client: Client, state: Path, *, only_running: bool = False) -> dict[str, str]:
    """The state folder's containers by their boxes."""
    with told():
        found = client.sdk.api.containers(all=not only_running, filters={"label": f"{STATE}={state_name(state)}"})
    return {container["Labels"][BOX]: container["Id"] for container in found}


def _was_made(folder: Path) -> bool:
    try:
        Container.of(folder)
    except FileNotFoundError:
        return False
    return True
