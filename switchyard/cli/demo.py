"""`switchyard demo`: the whole line on a sample monorepo, with its outcome judged at the end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from switchyard.cli.box_options import Image, Kind, open_for_boxes
from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.progress import shown
from switchyard.cli.render import Output
from switchyard.errors import UsageError

if TYPE_CHECKING:
    from switchyard_merge import StackStanding
    from switchyard_templates import DemoRepository

    from switchyard.ledger import FactoryView, TaskView

SCHEMA = "switchyard.demo/1"
COLUMNS = ("task", "state", "attempts", "branch", "pull request", "base")
Keep = Annotated[
    Path | None,
    typer.Option("--keep", metavar="DIR", help="Lay the demo out in DIR, empty or absent, and leave it there."),
]


def register(app: typer.Typer) -> None:
    """Hang the command on the root."""
    app.command()(demo)


def demo(
    keep: Keep = None,
    sandbox: Kind = None,
    image: Image = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run a sample monorepo's backlog with a scripted agent.

    It needs no account, no network and no Docker, and nothing leaves this machine, unless --sandbox says so.
    """
    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    if repo is not None:
        raise UsageError("the demo brings its own repository", hint="drop --repo; --keep DIR says where to put it")
    with _folder(keep) as directory:
        laid_out = _lay_out(directory)
        output.note(f"laid out {laid_out.repo}, a clone of {laid_out.origin}")
        view, stack = _play(laid_out, output, sandbox, image, _surroundings(directory, keep))
        differences = _differences(view)
        output.table(_document(laid_out if keep else None, view, stack, differences), COLUMNS, _rows(view))
        output.text(_drawing(view, stack))
        _conclude(output, differences, keep)
    raise typer.Exit(1 if differences else 0)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="switchyard-demo-") as folder:
        yield Path(folder)


def _lay_out(directory: Path) -> DemoRepository:
    from switchyard_templates import FolderTaken, lay_out_demo

    try:
        return lay_out_demo(directory)
    except FolderTaken as err:
        raise UsageError(str(err), hint=err.hint) from err


def _surroundings(directory: Path, keep: Path | None) -> Mapping[str, str]:
    """The environment of the run; what is to leave nothing behind signs with a key of its own."""
    return os.environ if keep else {**os.environ, "XDG_CONFIG_HOME": str(directory / "config")}


def _play(
    laid_out: DemoRepository, output: Output, kind: str | None, image: str | None, environ: Mapping[str, str]
) -> tuple[FactoryView, StackStanding]:
    from switchyard.stacks import look_at_stacks
    from switchyard.wiring import RunRequest, run_tasks

    workspace = open_for_boxes(laid_out.repo, kind, image=image, needs_config=True)
    # Under --json the one document on stdout is the outcome; progress stays on stderr.
    with shown(replace(output, as_json=False)) as progress:
        report = run_tasks(workspace, RunRequest(environ=environ), progress)
    return report.view, look_at_stacks(workspace, os.environ)


def _differences(view: FactoryView) -> list[str]:
    from switchyard_templates import Ending, find_differences

    return find_differences(
        [
            Ending(task.id, task.state, task.attempts, task.pull_request.base if task.pull_request else None)
            for task in view.latest.values()
        ]
    )


def _document(
    kept: DemoRepository | None, view: FactoryView, stack: StackStanding, differences: list[str]
) -> dict[str, Any]:
    from switchyard_merge import stack_document

    from switchyard.workflow.status import status_tasks

    return {
        "schema": SCHEMA,
        "repo": str(kept.repo) if kept else None,
        "origin": str(kept.origin) if kept else None,
        "tasks": status_tasks(view, ()),
        "pull_requests": stack_document(stack)["pull_requests"],
        "differences": differences,
    }


def _rows(view: FactoryView) -> list[tuple[str, ...]]:
    run = next(iter(view.runs))
    return [
        tuple(cell.replace(f"factory/{run}/", "…/") for cell in (task.id, task.state.replace("_", " "), *_cells(task)))
        for task in view.latest.values()
    ]


def _drawing(view: FactoryView, stack: StackStanding) -> str:
    from switchyard_merge import draw_stack

    return f"\n… is factory/{next(iter(view.runs))}\n\n{draw_stack([one.pull for one in stack.pulls])}"


def _cells(task: TaskView) -> tuple[str, ...]:
    attempts, pull = str(task.attempts), task.pull_request
    return (attempts, task.branch, f"#{pull.number}", pull.base) if pull else (attempts, "", "", "")


def _conclude(output: Output, differences: list[str], keep: Path | None) -> None:
    for sentence in differences:
        output.warning(sentence)
    if not differences:
        output.note("All ended as it must: money-split needed a repair, money-rounding waits for a person.")
    kept = f"Look around in {keep / 'repo'}." if keep else "To look around in it afterwards: switchyard demo --keep DIR"
    output.note(kept)
