"""What set-up commands install, built once and kept as a read-only layer that any number of boxes share."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from switchyard_sandbox.contract import BoxId, BoxSpec, Command, Driver, SetUp, SetUpFailed
from switchyard_sandbox.embedded.locking import hold
from switchyard_sandbox.removal import remove_tree

_FORMAT = 1
_TAIL_BYTES = 4000

Harvest = Callable[[BoxId], tuple[Path, Path]]
"""Where a box's work tree and home lie, so that they can be moved away."""


def ensure_layer(
    state: Path, spec: BoxSpec, driver: Driver, harvest: Harvest, checkout: Path, *, base: str = ""
) -> Path | None:
    """The layer of a spec's set-up commands; they run when no earlier box ran them on the same anchor.

    The anchor's commit is part of the key, and with it every lock file; what an attempt changes in a lock file never
    runs with set-up's network open.

    Args:
        base: What the commands find installed, where that is not this machine's: an image's id.

    Raises:
        SetUpFailed: A command failed; nothing is kept.
    """
    if not spec.setup.commands:
        return None
    layers = state / "layers"
    layers.mkdir(parents=True, exist_ok=True)
    place = layers / _key(spec, driver.kind, base)
    if place.is_dir():
        return place
    with hold(str(place.with_suffix(".lock"))):
        if not place.is_dir():
            _build(spec, driver, harvest, checkout, place)
    return place


def run_commands(driver: Driver, box: BoxId, setup: SetUp) -> None:
    """Run set-up's commands in a box.

    Raises:
        SetUpFailed: One failed.
    """
    for command in setup.commands:
        _run(driver, box, command, setup)


def spec_of_setup(spec: BoxSpec) -> BoxSpec:
    """The box that set-up's commands run in: on the anchor, and with their network."""
    return replace(
        spec,
        labels={**spec.labels, "role": "setup"},
        # All files: what installs reads lock files, whatever the box itself gets to see.
        code=replace(spec.code, commit=spec.code.anchor, paths=()),
        setup=SetUp(),
        network=spec.setup.network,
        gateway=None,
        programs=(),
        ttl_s=spec.setup.timeout_s * len(spec.setup.commands) + 60,
        # What it installs is moved away afterwards.
        workspace="disk",
    )


def _build(spec: BoxSpec, driver: Driver, harvest: Harvest, checkout: Path, place: Path) -> None:
    if spec.setup.on_begin is not None:
        spec.setup.on_begin(spec.setup)
    box = driver.create(spec_of_setup(spec))
    try:
        run_commands(driver, box, spec.setup)
        work, home = harvest(box)
        _keep(work, home, checkout.with_name(spec.code.anchor), place)
    finally:
        driver.destroy(box)


def _run(driver: Driver, box: BoxId, command: str, setup: SetUp) -> None:
    finished = driver.execute(box, Command(argv=("/bin/sh", "-c", command), timeout_s=setup.timeout_s))
    if setup.on_decisions is not None and finished.decisions:
        setup.on_decisions(finished.decisions)
    if finished.ok:
        return
    output = (finished.stdout + finished.stderr)[-_TAIL_BYTES:].decode("utf-8", "replace")
    why = finished.limit or (f"signal {finished.signal}" if finished.signal else f"exit code {finished.exit_code}")
    raise SetUpFailed(
        f"set-up command {command!r} failed ({why}): {output.strip()[-400:]}",
        hint="run it by hand, and check `setup` and `setup_network` in switchyard.toml",
        command=command,
        output=output,
    )


def _keep(work: Path, home: Path, checkout: Path, place: Path) -> None:
    fresh = place.with_name(f".new-{place.name}")
    with suppress(FileNotFoundError):
        remove_tree(str(fresh))
    fresh.mkdir(mode=0o755)
    work.rename(fresh / "work")
    home.rename(fresh / "home")
    remove_tree(str(fresh / "work" / ".git"))
    prune(fresh / "work", checkout)
    fresh.rename(place)


def prune(layer: Path, checkout: Path) -> None:
    """Leave only what is no part of the commit: a tracked file comes from the checkout, whatever set-up did to it.

    No box is alive on the layer; still no link in it is followed.
    """
    for folder, names, files, descriptor in os.fwalk(layer, topdown=False):
        original = checkout / Path(folder).relative_to(layer)
        if not original.is_dir() or original.is_symlink():
            continue
        for name in [*files, *names]:
            _prune_entry(Path(folder) / name, original / name, name, descriptor)
        if Path(folder) != layer:
            _forget_overlay_marks(folder)
            with suppress(OSError):
                os.rmdir(folder)  # noqa: PTH106
        else:
            _forget_overlay_marks(folder)


def _prune_entry(place: Path, original: Path, name: str, descriptor: int) -> None:
    tracked = original.is_symlink() or original.exists()
    both_folders = place.is_dir() and not place.is_symlink() and original.is_dir() and not original.is_symlink()
    # A folder of tracked files alone was emptied and removed when its turn came, before its parent's.
    if not tracked or both_folders or not os.path.lexists(place):
        return
    if place.is_dir() and not place.is_symlink():
        remove_tree(str(place))
    else:
        os.unlink(name, dir_fd=descriptor)


def _forget_overlay_marks(folder: str) -> None:
    """An opaque or moved directory would hide the checkout's files below it."""
    for name in os.listxattr(folder, follow_symlinks=False):
        if name.startswith(("trusted.overlay.", "user.overlay.")):
            with suppress(OSError):
                os.removexattr(folder, name, follow_symlinks=False)


def _key(spec: BoxSpec, kind: str, base: str) -> str:
    parts: Mapping[str, object] = {
        "format": _FORMAT,
        "kind": kind,
        "user": os.getuid(),
        "anchor": spec.code.anchor,
        "commands": spec.setup.commands,
        "network": sorted(spec.setup.network),
        "env": dict(sorted(spec.env.items())),
        "tools": base or _tools(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _tools() -> list[tuple[str, int]]:
    """What the host's own tools were when the layer was made: an upgraded interpreter breaks a virtual environment."""
    names = ("python3", "node", "npm", "gcc", "go", "ruby", "java")
    places = [Path("/usr/bin") / name for name in names] + [Path("/usr/local/bin") / name for name in names]
    return [(str(place.resolve()), int(place.stat().st_mtime)) for place in places if place.exists()]
