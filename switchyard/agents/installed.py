"""Where this machine has a command-line agent, and what of the machine a sandbox needs to run it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from switchyard_sandbox import HostTool

from switchyard.agents.contract import AgentError

SYSTEM = "/usr"
"""What every sandbox of this machine sees anyway."""
_NODE_MODULES = "node_modules"
_PACKAGES: Mapping[str, tuple[str, str]] = {
    "codex": ("@openai/codex", "0.169.0"),
    "claude": ("@anthropic-ai/claude-code", "2.1.197"),
    "gemini": ("@google/gemini-cli", "0.61.0"),
}
"""Program → its npm package, and the version that goes into an image of ours."""
_ELSEWHERE: Mapping[str, str] = {"claude": ", or pip install claude-agent-sdk"}


@dataclass(frozen=True)
class Installed:
    """A program as a sandbox finds it."""

    command: tuple[str, ...]
    """With its first word as the sandbox's PATH knows it."""
    tools: tuple[HostTool, ...] = ()
    """What of the machine has to be there; none where the system's own folders have it all."""


class MachineTools:
    """Finds programs on this machine, for the kinds of sandbox that show it."""

    def __init__(self, path: str) -> None:
        """`path` is the PATH to look along."""
        self._path = path

    def find(self, command: Sequence[str]) -> Installed:
        """The program of a command line: on the PATH, by its absolute path, or inside of an installed package.

        Raises:
            AgentError: It is not on this machine.
        """
        program = command[0]
        found = shutil.which(program, path=self._path) or _bundled(program)
        if found is None:
            raise AgentError(
                f"{program} is not on this machine's PATH",
                hint=_advice(program),
            )
        executable = Path(found).resolve()
        if _is_seen(Path(found)) and _is_seen(executable):
            return Installed(tuple(command))
        name = Path(program).name
        tool = _tool(name, executable)
        return Installed((name, *command[1:]), (tool, *self._interpreter(executable)))

    def _interpreter(self, executable: Path) -> tuple[HostTool, ...]:
        """Node, for a script of it, where the system's folders have none."""
        with executable.open("rb") as file:
            first = file.readline(200)
        if not first.startswith(b"#!") or b"node" not in first:
            return ()
        node = shutil.which("node", path=self._path)
        if node is None:
            raise AgentError(f"{executable} needs node, which is not on this machine's PATH", hint="install Node.js")
        place = Path(node).resolve()
        return () if _is_seen(Path(node)) and _is_seen(place) else (HostTool("node", place),)


class ImageTools:
    """For sandboxes that are made from an image: whatever it has on its PATH."""

    def find(self, command: Sequence[str]) -> Installed:
        """The command as it stands."""
        return Installed(tuple(command))


def npm_package(program: str) -> str | None:
    """The npm package, with its version, that a known agent's program comes in."""
    found = _PACKAGES.get(program)
    return "@".join(found) if found else None


def _advice(program: str) -> str:
    if program in _PACKAGES:
        return f"npm install --global {_PACKAGES[program][0]}{_ELSEWHERE.get(program, '')}"
    return f"install {program}, or give its absolute path in the agent's `command`"


def _is_seen(place: Path) -> bool:
    return place.is_relative_to(SYSTEM) or str(place.parent) in ("/bin", "/sbin")


def _bundled(program: str) -> str | None:
    """Claude Code as the SDK's wheel brings it."""
    spec = find_spec("claude_agent_sdk") if program == "claude" else None
    for folder in (spec.submodule_search_locations or []) if spec else []:
        place = Path(folder) / "_bundled" / "claude"
        if place.exists():
            return str(place)
    return None


def _tool(name: str, executable: Path) -> HostTool:
    """The executable with its npm package, where it is part of one; else by itself."""
    parts = executable.parts
    at = [number for number, part in enumerate(parts) if part == _NODE_MODULES]
    if not at:
        return HostTool(name, executable)
    # Installed for all of the machine, a package holds what it needs; else that lies beside it.
    end = at[0] + 1
    if at[0] and parts[at[0] - 1] == "lib":
        end += 2 if parts[end].startswith("@") else 1
    root = Path(*parts[:end])
    return HostTool(name, root, str(executable.relative_to(root)))
