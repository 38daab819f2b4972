"""The flags that set a task's fields, and how they become a task's values."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from switchyard.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from switchyard.tasks import Task

Title = Annotated[str | None, typer.Option("--title", "-t", metavar="TEXT", help="What is to be done, in one line.")]
Body = Annotated[str | None, typer.Option("--body", "-b", metavar="TEXT", help="The task in prose, Markdown.")]
BodyFile = Annotated[str | None, typer.Option("--body-file", "-F", metavar="FILE", help="Read the body; '-' is stdin.")]
Acceptance = Annotated[
    list[str] | None, typer.Option("--acceptance", "-a", metavar="TEXT", help="A criterion; repeat for more.")
]
State = Annotated[
    Literal["draft", "ready", "held", "cancelled"] | None, typer.Option("--state", help="What people set.")
]
DependsOn = Annotated[
    list[str] | None, typer.Option("--depends-on", "-d", metavar="ID", help="A task that comes before.")
]
Target = Annotated[list[str] | None, typer.Option("--target", metavar="PATH", help="A file it will probably change.")]
Priority = Annotated[
    int | None, typer.Option("--priority", "-p", metavar="N", min=1, max=4, help="From 1, the most urgent, to 4.")
]
Label = Annotated[list[str] | None, typer.Option("--label", "-l", metavar="NAME", help="A label; repeat for more.")]
AgentName = Annotated[str | None, typer.Option("--agent", metavar="NAME", help="An [agent.NAME] table.")]
ReviewAgent = Annotated[str | None, typer.Option("--review-agent", metavar="NAME", help="An [agent.NAME] table.")]
ContextFile = Annotated[list[str] | None, typer.Option("--context-file", metavar="PATH", help="Always in the context.")]
TestRequirements = Annotated[
    str | None, typer.Option("--test-requirements", metavar="TEXT", help="What must be tested, in prose.")
]
Check = Annotated[list[str] | None, typer.Option("--check", metavar="NAME=COMMAND", help="A check of its own.")]
Allow = Annotated[
    list[str] | None, typer.Option("--allow", metavar="WHAT", help="tests, protected or dependencies; may be repeated.")
]
Minutes = Annotated[float | None, typer.Option("--minutes", metavar="N", help="The time of one attempt.")]
Repairs = Annotated[int | None, typer.Option("--repairs", metavar="N", help="Attempts after the first.")]

# From a command's parameter to the task's field, where they differ.
_LISTS = {"target": "targets", "label": "labels", "context_file": "context_files"}
_SCALARS = ("title", "state", "priority", "agent", "review_agent", "test_requirements")


def changes_from(flags: Mapping[str, Any], before: Callable[[], Task] | None = None) -> dict[str, Any]:
    """The fields that the flags set; what was not given is left out. A list that is given replaces the one before.

    Args:
        flags: A command's parameters.
        before: Reads the task to be changed, when a flag adds to what is there.

    Raises:
        UsageError: Two flags contradict each other, or one has no sense.
    """
    changes: dict[str, Any] = {key: flags[key] for key in _SCALARS if flags.get(key) is not None}
    for flag, field in {**_LISTS, "depends_on": "depends_on", "allow": "allow"}.items():
        if flags.get(flag):
            changes[field] = tuple(dict.fromkeys(flags[flag]))
    if flags.get("check"):
        changes["checks"] = dict(map(_check, flags["check"]))
    budget = {key: flags[key] for key in ("minutes", "repairs") if flags.get(key) is not None}
    if budget:
        changes["budget"] = _budget(budget, before)
    body = _body(flags, before)
    if body is not None:
        changes["body"] = body
    return changes


def defaults_of(keys: Sequence[str]) -> dict[str, Any]:
    """The defaults of the keys that `--unset` names.

    Raises:
        UsageError: A key that no task has, or that every task must have.
    """
    from switchyard.packets import TaskId
    from switchyard.tasks import Task
    from switchyard.tasks.render import ALWAYS, KEYS

    known = set(KEYS) - set(ALWAYS)
    for key in keys:
        if key not in known:
            raise UsageError(
                f"--unset {key}: no such key{did_you_mean(key, known)}", hint=f"known: {', '.join(sorted(known))}"
            )
    empty = Task(id=TaskId("x"), title="x")
    return {key: getattr(empty, key) for key in keys}


def slug(title: str) -> str:
    """An id made of a title: its first words in lower case."""
    words = re.findall(r"[a-z0-9]+", title.lower())
    text = ""
    for word in words:
        if text and len(text) + len(word) >= 40:
            break
        text = f"{text}-{word}" if text else word[:40]
    if not text:
        raise UsageError(
            f"no id can be made of the title '{title}'", hint="give an id: switchyard task add ID --title …"
        )
    return f"task-{text}" if text.startswith("join-") else text


def _check(text: str) -> tuple[str, str]:
    name, _, command = text.partition("=")
    if not name.strip() or not command.strip():
        raise UsageError(f"'{text}' is no check", hint="write --check NAME=COMMAND")
    return name.strip(), command.strip()


def _budget(given: Mapping[str, Any], before: Callable[[], Task] | None) -> Any:
    from dataclasses import replace

    from switchyard.tasks import Budget

    return replace(before().budget if before else Budget(), **given)


def _body(flags: Mapping[str, Any], before: Callable[[], Task] | None) -> str | None:
    body, file = flags.get("body"), flags.get("body_file")
    if body is not None and file is not None:
        raise UsageError("--body and --body-file cannot be given together")
    if file is not None:
        body = _read_body(file)
    criteria: Sequence[str] = flags.get("acceptance") or ()
    if body is None and not criteria:
        return None
    prose = (before().body if body is None and before else body or "").replace("\r\n", "\n").rstrip()
    if not criteria:
        return f"{prose}\n"
    if re.search(r"^##? acceptance", prose, re.MULTILINE | re.IGNORECASE):
        raise UsageError("the body has an acceptance section already", hint="edit it there instead of by --acceptance")
    items = "".join(f"- [ ] {criterion}\n" for criterion in criteria)
    return f"{prose}\n\n## Acceptance\n{items}".lstrip("\n")


def _read_body(file: str) -> str:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return content.decode("utf-8-sig")
    except OSError as err:
        raise UsageError(f"{file} cannot be read: {err.strerror}") from err
    except UnicodeDecodeError as err:
        raise UsageError(f"{file} is not UTF-8 text", hint="save it as UTF-8") from err
