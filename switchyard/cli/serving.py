"""What an agent asks and tells, as tools of the Model Context Protocol: the same answers as the command line's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import Field

from switchyard.cli.codebase import known_files, open_place, read_codebase, tests_of
from switchyard.cli.context_text import describe_chain
from switchyard.cli.render import Output
from switchyard.errors import UsageError

if TYPE_CHECKING:
    from mcp.server import MCPServer
    from switchyard_context import Edge

    from switchyard.packets import Discovery

T = TypeVar("T")
Show = Literal["selection", "tests", "impact", "why"]
Record = Callable[["Discovery"], str]
"""Keeps a finding, and says where."""

INSTRUCTIONS = (
    "Ask `context` which parts of this repository matter for a piece of work, which tests cover files and what a "
    "change of them may break. Tell `discovered` what somebody else should mend."
)


def serve(repo: Path | None, record: Record) -> None:
    """Answer until the standard input ends.

    Raises:
        UsageError: The protocol's package is not installed.
    """
    build_server(repo, record).run("stdio")


def build_server(repo: Path | None, record: Record) -> MCPServer:
    """The server with both tools.

    Raises:
        UsageError: The protocol's package is not installed.
    """
    try:
        from mcp.server import MCPServer
    except ImportError as err:
        raise UsageError(
            "`switchyard mcp` needs the package mcp", hint="pip install 'switchyard-factory[mcp]'"
        ) from err

    one_at_a_time = Lock()
    server: MCPServer = MCPServer("switchyard", instructions=INSTRUCTIONS, log_level="ERROR")

    @server.tool()
    def context(
        text: Annotated[str, Field(description="A task or a question in prose.")] = "",
        seeds: Annotated[list[str] | None, Field(description="Files or PATH:SYMBOL to start from.")] = None,
        paths: Annotated[list[str] | None, Field(description="Files that tests, impact or why are about.")] = None,
        show: Annotated[
            Show,
            Field(
                description="selection: what matters for text and seeds; tests: which cover the paths; "
                "impact: what needs them; why: how the first path comes to need the second."
            ),
        ] = "selection",
        budget_tokens: Annotated[int | None, Field(description="The bound of a selection.")] = None,
    ) -> str:
        """Which parts of the repository matter, read from its import graph and its work tree as it is now."""
        return _told(lambda: _answer(repo, text, seeds or [], paths or [], show, budget_tokens))

    @server.tool()
    def discovered(
        title: Annotated[str, Field(description="What is wrong, in one line.")],
        detail: Annotated[str, Field(description="How it shows, and what should be done.")] = "",
        paths: Annotated[list[str] | None, Field(description="The files that it is about.")] = None,
    ) -> str:
        """Record something that should be done and is no part of the present task; a person decides on it."""
        from switchyard.packets import Discovery

        finding = _told(lambda: Discovery(title=title, detail=detail, paths=tuple(paths or ())))
        # Calls come at once, each in a thread, and keeping one reads what is kept already.
        with one_at_a_time:
            return _told(lambda: record(finding))

    return server


def _told(answer: Callable[[], T]) -> T:
    """The answer, or what is wrong with the question as the protocol has it."""
    from mcp.server.mcpserver.exceptions import ToolError
    from pydantic import ValidationError
    from switchyard_context import ContextError
    from switchyard_git import GitError

    from switchyard.errors import SwitchyardError

    try:
        return answer()
    except (SwitchyardError, ContextError, GitError) as err:
        hint = getattr(err, "hint", "")
        raise ToolError(f"{err}{f' ({hint})' if hint else ''}") from err
    except ValidationError as err:
        raise ToolError("; ".join(fault["msg"] for fault in err.errors(include_url=False))) from err


def _answer(
    repo: Path | None, text: str, seeds: Sequence[str], paths: Sequence[str], show: Show, budget: int | None
) -> str:
    from switchyard_context import Request, render_markdown, select

    place = open_place(repo)
    codebase = read_codebase(place, None, None, None, Output(quiet=True))
    if show == "selection":
        if not (text.strip() or seeds):
            raise UsageError("nothing to select for", hint="give text or seeds")
        request, tokens = Request(text=text, seeds=seeds), budget or place.budget_tokens
        selected = select(codebase, replace(request, budget_tokens=tokens) if tokens else request)
        return render_markdown(selected) or "nothing in the repository answers that"
    if show == "why":
        return _chain(codebase.graph.why(*_pair(paths)))
    subjects = known_files(codebase.graph, paths)
    if not subjects:
        raise UsageError(f"{show} of nothing", hint="give paths")
    if show == "impact":
        return "\n".join(codebase.graph.impact(subjects)) or "nothing needs them"
    found = tests_of(codebase, subjects)
    return "\n".join(f"{path}: {'; '.join(reasons)}" for path, reasons in found.items()) or "no test covers them"


def _pair(paths: Sequence[str]) -> tuple[str, str]:
    if len(paths) != 2:
        raise UsageError("why is about two paths", hint="the file that imports, then the one that it needs")
    return paths[0], paths[1]


def _chain(chain: Sequence[Edge] | None) -> str:
    if chain is None:
        return "no imports lead from the one to the other"
    return "\n".join(describe_chain(chain)) or "they are the same file"


def file_draft(finding: Discovery, folder: Path) -> str:
    """Keep a finding as a draft among the task files, unless one of them says the same."""
    from switchyard.tasks import TaskStore
    from switchyard.tasks.drafts import file_finding

    task_id, is_new = file_finding(TaskStore(folder), finding)
    return f"filed as the draft {task_id}" if is_new else f"{task_id} says the same already"
