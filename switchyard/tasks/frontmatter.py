"""YAML as nodes with their lines: the front matter of a task file, told apart from its body without losing a byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from switchyard.errors import TaskFileError

FENCE = "---"
MAX_TASK_BYTES = 256 * 1024
"""More than a forge takes as a pull request's text, and far more than a person writes."""
MAX_PLAN_BYTES = 64 * MAX_TASK_BYTES


@dataclass(frozen=True)
class Parts:
    """A task file in four pieces that give the file when joined."""

    head: str
    """The first `---` with its line end, and a byte order mark where there is one."""
    front: str
    """The YAML."""
    fence: str
    """The second `---` with its line end."""
    body: str

    @property
    def newline(self) -> str:
        """The line end that the file uses."""
        return "\r\n" if self.head.endswith("\r\n") else "\n"

    def joined(self) -> str:
        """The file's text again."""
        return self.head + self.front + self.fence + self.body


def split_front_matter(text: str, file: Path) -> Parts:
    """Tell front matter and body apart.

    Raises:
        TaskFileError: The file does not begin with `---`, or the front matter does not end.
    """
    lines = _lines(text)
    if not lines or lines[0].lstrip("\ufeff").rstrip() != FENCE:
        raise TaskFileError(
            "the file does not begin with '---'",
            file=file,
            line=1,
            hint="a task file begins with front matter between two lines of '---'; see 'switchyard task add --help'",
        )
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == FENCE:
            return Parts(lines[0], "".join(lines[1:number]), line, "".join(lines[number + 1 :]))
    raise TaskFileError(
        "the front matter that begins here does not end",
        file=file,
        line=1,
        hint="close it with a line that holds '---' alone",
    )


def read_text(file: Path, *, max_bytes: int = MAX_TASK_BYTES) -> str:
    """A file's text with its line ends as they are.

    Raises:
        TaskFileError: It cannot be read, is too large, or is not UTF-8; names the line of the first wrong byte.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except OSError as err:
        raise TaskFileError(f"cannot be read: {err.strerror}", file=file) from err
    if len(content) > max_bytes:
        raise TaskFileError(
            f"larger than {max_bytes // 1024} KiB",
            file=file,
            hint="keep long material in a file of the repository and name it under context_files",
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as err:
        line = content[: err.start].count(b"\n") + 1
        raise TaskFileError(
            f"not UTF-8 text: byte 0x{content[err.start]:02x}", file=file, line=line, hint="save the file as UTF-8"
        ) from err


def compose(text: str, file: Path, *, first_line: int) -> Node | None:
    """The text's one YAML document as nodes; None where it is empty.

    Args:
        text: The YAML.
        file: Names it in an error.
        first_line: The line of the file at which the text begins.

    Raises:
        TaskFileError: It is not YAML.
    """
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        line = first_line + mark.line if mark else first_line
        raise TaskFileError(f"not valid YAML: {err.problem or err.context}", file=file, line=line) from err
    except yaml.reader.ReaderError as err:
        line = first_line + text[: err.position].count("\n")
        raise TaskFileError(f"not valid YAML: {err.reason}", file=file, line=line) from err
    except RecursionError as err:
        raise TaskFileError("not valid YAML: nested too deeply", file=file, line=first_line) from err


def entries(node: MappingNode) -> Iterator[tuple[Node, str, Node]]:
    """Key node, key text and value node of each entry; the text of a key that is no scalar is ""."""
    for key, value in node.value:
        yield key, str(key.value) if isinstance(key, ScalarNode) else "", value


def _lines(text: str) -> list[str]:
    """Lines with their ends; unlike splitlines, only a line feed ends one."""
    pieces = text.split("\n")
    return [piece + "\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])
