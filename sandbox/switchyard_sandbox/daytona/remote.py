"""One sandbox of the service, and what this driver asks of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from switchyard_sandbox.contract import BoxLost, SandboxError
from switchyard_sandbox.daytona.place import Place
from switchyard_sandbox.daytona.service import is_gone, is_passing, patiently, told

if TYPE_CHECKING:
    from daytona import Daytona, Sandbox

_TRANSFER_S = 1800
_MEMO = "remote.json"


@dataclass(frozen=True)
class Remote:
    """A sandbox that runs, by the client that knows it."""

    client: Daytona
    sandbox: Sandbox
    place: Place

    @classmethod
    def first(cls, client: Daytona, sandbox: Sandbox, folder: Path) -> Remote:
        """A sandbox that was just made for the box at `folder`; where it is found is noted there."""
        with told(f"sandbox {sandbox.id}"):
            home = patiently(sandbox.get_user_home_dir)
        fresh = folder / f"{_MEMO}.new"
        fresh.write_text(json.dumps({"id": sandbox.id, "home": home}))
        fresh.rename(folder / _MEMO)
        return cls(client, sandbox, Place(home.rstrip("/")))

    @classmethod
    def again(cls, client: Daytona, folder: Path) -> Remote:
        """The sandbox of the box at `folder`.

        Raises:
            BoxLost: The box has none, or the service doesn't know it any more.
        """
        memo = folder / _MEMO
        if not cls.is_noted(folder):
            raise BoxLost(f"box {folder.name} was never finished", hint="create another")
        plain = json.loads(memo.read_text())
        with told(f"box {folder.name}"):
            sandbox = patiently(lambda: client.get(plain["id"]))
        return cls(client, sandbox, Place(plain["home"].rstrip("/")))

    @staticmethod
    def is_noted(folder: Path) -> bool:
        """Whether the box at `folder` had a sandbox once."""
        return (folder / _MEMO).exists()

    def upload(self, files: Mapping[str, bytes | Path]) -> None:
        """Write files, by their paths in the box."""
        from daytona import FileUpload

        sources = [FileUpload(str(data) if isinstance(data, Path) else data, path) for path, data in files.items()]
        with told(f"sandbox {self.sandbox.id}"):
            patiently(lambda: self.sandbox.fs.upload_files(sources, _TRANSFER_S))

    def download(self, path: str, target: Path) -> None:
        """Bring a file of the box to the host."""
        with told(f"sandbox {self.sandbox.id}"):
            patiently(lambda: self.sandbox.fs.download_file(path, str(target), _TRANSFER_S))

    def remove(self, folder: str) -> None:
        """Remove a folder of the box."""
        with told(f"sandbox {self.sandbox.id}"):
            self.sandbox.fs.delete_file(folder, recursive=True, request_timeout=30)

    def run(self, script: str, timeout_s: float) -> str:
        """Run a line of shell that may run twice, and must succeed; returns what it said.

        Raises:
            SandboxError: It failed.
        """
        with told(f"sandbox {self.sandbox.id}"):
            response = patiently(lambda: self.sandbox.process.exec(script, timeout=max(1, round(timeout_s))))
        if response.exit_code != 0:
            said = response.result.strip()[-2000:]
            raise SandboxError(f"{script[:200]!r} failed in sandbox {self.sandbox.id}: {said}", hint=_NEEDS)
        return response.result

    def ask(self, verb: str, *arguments: str, timeout_s: float) -> dict[str, object]:
        """Let the program in the box do something and answer."""
        return answer_of(self.run(self.place.inside(verb, *arguments), timeout_s))

    def is_gone(self) -> bool:
        """Whether the service has no such sandbox any more."""
        with told(f"sandbox {self.sandbox.id}"):
            return is_gone(self.client, self.sandbox)

    def refresh(self) -> None:
        """Tell the service that the sandbox is in use; it stops those that are not."""
        from daytona import DaytonaError

        try:
            self.sandbox.refresh_activity(request_timeout=10)
        except DaytonaError as err:
            # The next one comes soon, and the time to a stop is longer than the box's life anyway.
            if not is_passing(err):
                with told(f"sandbox {self.sandbox.id}"):
                    raise

    def restart(self) -> None:
        """End every process of the sandbox, whatever it did to hide; files stay."""
        with told(f"sandbox {self.sandbox.id}"):
            patiently(lambda: self.sandbox.stop(force=True))
            patiently(self.sandbox.start)


_NEEDS = "the image must hold python3 (3.11 or later), git and a shell"


def answer_of(said: str) -> dict[str, object]:
    """The JSON that the program in the box said last."""
    try:
        answer = json.loads(said.strip().rpartition("\n")[2])
    except ValueError as err:
        raise SandboxError(f"the program in the box said {said[-200:]!r}", hint=_NEEDS) from err
    if not isinstance(answer, dict):
        raise SandboxError(f"the program in the box said {said[-200:]!r}", hint=_NEEDS)
    return answer
