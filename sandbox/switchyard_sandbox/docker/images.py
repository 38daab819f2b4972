"""Which image a box is made from: the configured one, or one built here from our own template, named by its content."""

from __future__ import annotations

import hashlib
import io
import shlex
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from switchyard_sandbox.contract import IsolationUnavailable
from switchyard_sandbox.docker.client import Client, told

if TYPE_CHECKING:
    from docker.models.images import Image as SdkImage

SETUP = "/var/lib/switchyard/setup"
"""Where an image with a set-up layer keeps what it installed: `work` and `home`."""
BASE = "debian:bookworm-slim"
"""What our own image stands on; fetched where the engine does not have it."""
NODE_BASE = "node:22-bookworm-slim"
"""The same where agents come as npm packages, with the Node that they run on."""
_REPOSITORY = "switchyard-agent"
_SETUP_REPOSITORY = "switchyard-setup"
_LABEL = "switchyard.image"
_STATE = "switchyard.setup"
"""Label of a set-up image: the state folder whose layer it holds."""
_KEPT_DAYS = 14
"""How long a set-up image stays that no box stands on; it is made again from the layer when it is missed."""
_TEMPLATE = Path(__file__).with_name("Dockerfile")


@dataclass(frozen=True)
class Image:
    """An image that the engine has."""

    id: str
    variables: tuple[str, ...]
    """The names of those that it sets."""
    volumes: tuple[str, ...]
    """Where it declares room of its own, which no box gets."""


def resolve(client: Client, name: str, packages: Sequence[str] = ()) -> Image:
    """The image of that name; fetched where the engine does not have it, or built from the template where it is empty.

    Args:
        packages: What `npm install` takes: the agents that an image of our own has in it.

    Raises:
        IsolationUnavailable: It can't be had.
    """
    from docker.errors import DockerException, ImageNotFound

    base = NODE_BASE if packages else BASE
    try:
        if not name:
            return build(client, _TEMPLATE.read_text(), {"BASE": base, "AGENT": _install(packages)})
        try:
            return _described(client.sdk.images.get(name))
        except ImageNotFound:
            return _described(client.sdk.images.pull(name, tag=None if ":" in name or "@" in name else "latest"))
    except DockerException as err:
        said = getattr(err, "explanation", None) or str(err)
        what = f"there is no image {name!r} to make a box from" if name else f"no image could be built on {base}"
        raise IsolationUnavailable(
            f"{what}: {said}",
            hint="set `image` in [sandbox] to one that the engine has or can fetch (with sh, git, GNU tar, coreutils)"
            + ("" if name else f", or give the engine {base}"),
        ) from err


def _install(packages: Sequence[str]) -> str:
    return shlex.join(("npm", "install", "--global", "--no-audit", "--no-fund", *packages)) if packages else ""


def build(client: Client, dockerfile: str, arguments: dict[str, str], *, host_network: bool = False) -> Image:
    """An image from a Dockerfile; one that was built from the same text and arguments is taken as it is.

    Raises:
        docker.errors.DockerException: It can't be built.
    """
    from docker.errors import ImageNotFound

    key = hashlib.sha256(repr((dockerfile, sorted(arguments.items()))).encode()).hexdigest()[:16]
    tag = f"{_REPOSITORY}:{key}"
    try:
        return _described(client.sdk.images.get(tag))
    except ImageNotFound:
        image, _ = client.sdk.images.build(
            fileobj=io.BytesIO(dockerfile.encode()),
            tag=tag,
            buildargs=arguments,
            labels={_LABEL: key},
            network_mode="host" if host_network else None,
            rm=True,
        )
        return _described(image)


def with_setup(client: Client, base: Image, layer: Path, state: str) -> Image:
    """The image with what set-up installed as one layer more; made once, and again when somebody removed it.

    Args:
        layer: What it installed, `work` and `home` below it, as `ensure_layer` keeps it.
        state: The name of the state folder, by which `prune_setups` finds the image.
    """
    from docker.errors import ImageNotFound

    # Of this very folder: one that was made anew by the same commands need not hold the same bytes.
    status = layer.stat()
    name = hashlib.sha256(f"{layer.name} {status.st_ino} {status.st_mtime_ns}".encode()).hexdigest()[:32]
    tag = f"{_SETUP_REPOSITORY}:{name}"
    with told():
        try:
            return _described(client.sdk.images.get(tag))
        except ImageNotFound:
            pass
        container = client.sdk.containers.create(base.id, ["true"], network_mode="none", labels={_LABEL: name})
        try:
            with _packed(layer) as archive:
                container.put_archive("/", archive)
            changes = f'LABEL "{_LABEL}"="{name}" "{_STATE}"="{state}"'
            return _described(container.commit(_SETUP_REPOSITORY, name, changes=changes))
        finally:
            container.remove(force=True, v=True)


def prune_setups(client: Client, state: str, *, kept_days: int = _KEPT_DAYS) -> None:
    """Remove the state folder's set-up images that are older and that no container stands on."""
    from docker.errors import APIError

    old = {"dangling": False, "label": f"{_STATE}={state}", "until": f"{24 * kept_days}h"}
    with told():
        try:
            client.sdk.images.prune(filters=old)
        except APIError as err:
            # Somebody else is at it.
            if err.status_code != 409:
                raise


def _packed(layer: Path) -> io.BufferedRandom:
    """The layer as an archive to unpack at the root, in a file that is gone once it is closed."""
    import tempfile

    file = tempfile.TemporaryFile(prefix="layer-", dir=layer.parent)  # noqa: SIM115
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.add(layer, SETUP.lstrip("/"), filter=_opened)
    file.seek(0)
    return file


def _opened(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nobody's but readable by every box's user."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode |= 0o755 if member.isdir() else 0o444
    return member


def _described(image: SdkImage) -> Image:
    config = image.attrs.get("Config") or {}
    names = [str(entry).partition("=")[0] for entry in config.get("Env") or ()]
    return Image(str(image.id), tuple(names), tuple(config.get("Volumes") or ()))
