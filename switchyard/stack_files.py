"""The small file that says which of a person's branches stand on which: `switchyard stack publish FILE`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from yaml.nodes import MappingNode, Node, SequenceNode

from switchyard.errors import LocatedError, UsageError, did_you_mean
from switchyard.workspace import Workspace

if TYPE_CHECKING:
    from switchyard_git import CommitSha
    from switchyard_merge import LocalStack

_MAX_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_HEADS = "refs/heads/"
_SAYS = {
    "dict_type": "is no mapping",
    "extra_forbidden": "is no key that is known here",
    "model_type": "is neither a mapping nor a list",
    "string_type": "is no text: put it in quotes",
    "tuple_type": "is no list",
}
"""What pydantic finds, without its own types' names."""


class StackFileError(LocatedError):
    """The file of a stack is wrong."""

    kind = "stack_file"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    parents: tuple[str, ...] = ()
    title: str = ""
    body: str = ""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    base: str = ""
    branches: dict[str, _Entry]

    @field_validator("branches", mode="before")
    @classmethod
    def _accept_lists(cls, value: object) -> object:
        """A list of parents stands for an entry with nothing else; nothing at all, for no parents."""
        if not isinstance(value, dict):
            return value
        return {
            name: {"parents": entry or []} if entry is None or isinstance(entry, list) else entry
            for name, entry in value.items()
        }


def read_stack_file(workspace: Workspace, file: Path) -> LocalStack:
    """A stack as the file describes it, with the branches as they are now.

    Raises:
        StackFileError: The file cannot be read, or says what makes no sense; names the place.
        UsageError: A branch is not there.
    """
    from switchyard_merge import CyclicPlan, LocalBranch, LocalStack, Plan, UnknownDependency

    described = _parse(file)
    name = described.name or file.name.partition(".")[0]
    if not _NAME.fullmatch(name) or name.endswith(".lock") or len(name) > 60:
        raise StackFileError(
            f"{name!r} is no name for a stack",
            file=file,
            key="name",
            hint="it is the file's unless `name` says another: at most 60 letters, digits, dots, - and _, not `.lock`",
        )
    base = described.base or workspace.config.repository.base
    parents = {branch: [one for one in entry.parents if one != base] for branch, entry in described.branches.items()}
    if not parents:
        raise StackFileError("names no branches", file=file, key="branches", hint="branches: {feature/api: []}")
    try:
        plan = Plan.of(parents)
    except (CyclicPlan, UnknownDependency) as err:
        raise StackFileError(str(err), file=file, key="branches", hint=err.hint) from err
    tips = _tips(workspace, list(parents), base)
    return LocalStack(
        name,
        base,
        {
            branch: LocalBranch(
                tips[branch],
                # What another parent holds already is not stood on twice.
                tuple(plan.parents(branch)),
                described.branches[branch].title,
                described.branches[branch].body,
            )
            for branch in plan.order
        },
    )


def _tips(workspace: Workspace, branches: list[str], base: str) -> Mapping[str, CommitSha]:
    here = workspace.repository.refs("refs/heads")
    known = {ref.removeprefix(_HEADS): sha for ref, sha in here.items()}
    if base in branches:
        raise UsageError(f"{base} is the base, and cannot be one of the branches", hint="take it out of `branches`")
    missing = [branch for branch in branches if branch not in known]
    if missing:
        near = did_you_mean(missing[0], known)
        raise UsageError(
            f"no local branch {', '.join(map(repr, missing))}{near}",
            hint="`git branch` lists them; one that is on the remote alone is made by `git branch NAME origin/NAME`",
        )
    return {branch: known[branch] for branch in branches}


def _parse(file: Path) -> _File:
    try:
        with file.open("rb") as stream:
            text = stream.read(_MAX_BYTES + 1).decode("utf-8-sig")
    except OSError as err:
        raise StackFileError(f"cannot be read: {err.strerror}", file=file) from err
    except UnicodeDecodeError as err:
        raise StackFileError("is not UTF-8 text", file=file, hint="save the file as UTF-8") from err
    if len(text) > _MAX_BYTES:
        raise StackFileError(f"is larger than {_MAX_BYTES >> 20} MiB", file=file)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_duplicates(node, file)
        return _File.model_validate(yaml.safe_load(text))
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        line = mark.line + 1 if mark else None
        raise StackFileError(f"not valid YAML: {err.problem or err.context}", file=file, line=line) from err
    except (yaml.YAMLError, RecursionError) as err:
        raise StackFileError(f"not valid YAML: {err}", file=file) from err
    except ValidationError as err:
        first = err.errors()[0]
        key = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise StackFileError(
            f"{key}: {_SAYS.get(first['type'], first['msg'].lower())}" if key else "is no mapping",
            file=file,
            key=key,
            hint="base: main, branches: {feature/model: [], feature/api: [feature/model]}",
        ) from err


def _refuse_duplicates(node: Node | None, file: Path) -> None:
    """YAML itself lets the last of several equal keys win without a word."""
    for key, line in _repeated(node):
        raise StackFileError(f"{key!r} is there twice", file=file, line=line, key=key, hint="keep one of them")


def _repeated(node: Node | None) -> Iterator[tuple[str, int]]:
    waiting: list[Any] = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, MappingNode):
            seen: set[str] = set()
            for key, value in found.value:
                if str(key.value) in seen:
                    yield str(key.value), key.start_mark.line + 1
                seen.add(str(key.value))
                waiting.append(value)
        elif isinstance(found, SequenceNode):
            waiting.extend(found.value)
