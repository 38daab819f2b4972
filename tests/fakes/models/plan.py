"""What the scripted model does, step by step, and how each step is said with the tools that a client offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_PATHS = ("file_path", "absolute_path", "filePath", "path")
_SHELLS = ("bash", "run_shell_command", "exec_command", "shell_command", "shell")


@dataclass(frozen=True)
class Read:
    """Look at a file."""

    path: str


@dataclass(frozen=True)
class Write:
    """Make a file."""

    path: str
    content: str


@dataclass(frozen=True)
class Edit:
    """Put one line of a file in another's place; Claude wants the file read before."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Shell:
    """Run a command."""

    command: str


@dataclass(frozen=True)
class Use:
    """Call a tool that a server of the client's offers, by the end of its name."""

    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Say:
    """End the turn with a text."""

    text: str


Step = Read | Write | Edit | Shell | Use | Say
Plan = Sequence[Step]


@dataclass(frozen=True)
class Tool:
    """A tool that a client offers: its name and the JSON schema of its arguments."""

    name: str
    schema: Mapping[str, Any] = field(default_factory=dict)
    takes_text: bool = False
    namespace: str = ""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The schema of each argument."""
        found: Mapping[str, Any] = self.schema.get("properties") or {}
        return found


@dataclass(frozen=True)
class Call:
    """A tool and what it is given: arguments by name, or one text."""

    tool: str
    arguments: Mapping[str, Any] | str
    namespace: str = ""


def call_for(step: Read | Write | Edit | Shell | Use, tools: Sequence[Tool], workdir: str) -> Call:
    """Say a step with the client's own tools; with the shell where it has no other.

    Raises:
        LookupError: The client offers nothing that could do it.
    """
    match step:
        case Shell(command):
            return _shell(command, tools)
        case Use(name, arguments):
            tool = next((tool for tool in tools if tool.name.endswith(name)), None)
            if tool is None:
                raise LookupError(f"none of {[tool.name for tool in tools]} is {name}")
            return Call(tool.name, arguments, tool.namespace)
        case Read(path):
            reader = _pick(tools, "read", "read_file")
            return _with_path(reader, f"{workdir}/{path}") if reader else _shell(f"cat {path}", tools)
        case Write(path, content):
            writer = _pick(tools, "write", "write_file")
            if writer:
                return _with_path(writer, f"{workdir}/{path}", content=content)
            added = "".join(f"+{line}\n" for line in content.splitlines())
            return _patch(f"*** Add File: {path}\n{added}", tools)
        case Edit(path, old, new):
            editor = _pick(tools, "edit", "replace")
            if editor:
                said = {"old_string": old, "new_string": new, "instruction": "As planned."}
                known = {name: value for name, value in said.items() if name in editor.arguments}
                return _with_path(editor, f"{workdir}/{path}", **known)
            return _patch(f"*** Update File: {path}\n@@\n-{old}\n+{new}\n", tools)


def _pick(tools: Sequence[Tool], *names: str) -> Tool | None:
    return next((tool for name in names for tool in tools if tool.name.lower() == name), None)


def _with_path(tool: Tool, path: str, **more: str) -> Call:
    name = next(name for name in _PATHS if name in tool.arguments)
    return Call(tool.name, {name: path, **more})


def _patch(body: str, tools: Sequence[Tool]) -> Call:
    text = f"*** Begin Patch\n{body}*** End Patch"
    tool = _pick(tools, "apply_patch")
    if tool and tool.takes_text:
        return Call(tool.name, text)
    # Codex takes a shell's apply_patch for its own.
    return _shell(f"apply_patch <<'EOF'\n{text}\nEOF", tools)


def _shell(command: str, tools: Sequence[Tool]) -> Call:
    tool = _pick(tools, *_SHELLS)
    if tool is None:
        raise LookupError(f"none of {[tool.name for tool in tools]} is a shell")
    name = "cmd" if "cmd" in tool.arguments else "command"
    is_list = (tool.arguments.get(name) or {}).get("type") == "array"
    values: dict[str, Any] = {name: ["sh", "-c", command] if is_list else command}
    defaults = {"description": "As planned.", "is_background": False}
    return Call(tool.name, values | {key: value for key, value in defaults.items() if key in tool.arguments})
