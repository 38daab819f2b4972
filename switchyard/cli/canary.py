"""`switchyard canary`: reviewers tried by changes whose fault is known."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from switchyard.cli.box_options import Kind, NoIsolation, open_for_boxes
from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.render import Output

if TYPE_CHECKING:
    from switchyard.workflow.canaries import Tried

app = typer.Typer(
    help="Changes whose fault is known, to try reviewers by.",
    no_args_is_help=True,
)
COLUMNS = ("reviewer", "agent", "canary", "language", "last result", "when")
_RESULTS = {"never": "-", "right": "right", "wrong": "WRONG"}
Reviewers = Annotated[
    list[str] | None,
    typer.Argument(metavar="REVIEWER", help="quality, security or operations. Default: all that are configured."),
]


@app.command()
def run(
    reviewers: Reviewers = None,
    due: Annotated[bool, typer.Option("--due", help="Leave out what was got right lately.")] = False,
    sandbox: Kind = None,
    i_accept_no_isolation: NoIsolation = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Put canaries before the reviewers.

    Sandbox and prompt are the same as for a task's change, and nothing tells that it is none.

    Exits 1 when a reviewer passed a faulty change, did not pass a sound one, or gave no verdict.
    """
    from switchyard.canaries import CanaryRequest, run_canaries, tried_document

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    workspace = open_for_boxes(repo, sandbox, needs_config=True)
    request = CanaryRequest(tuple(reviewers or ()), due, i_accept_no_isolation, os.environ)
    document = tried_document(run_canaries(workspace, request, lambda tried: output.note(_describe(tried))))
    wrong = sum(not one["right"] for one in document["tried"])
    output.document(document, f"{len(document['tried'])} canaries, {wrong} judged wrongly")
    raise typer.Exit(0 if document["ok"] else 1)


@app.command("list")
def list_canaries(repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Show which reviewers count, and why.

    Results of another model, command or prompt are another judge's, and not shown.
    """
    from switchyard.canaries import standing_document
    from switchyard.cli.workspace import open_workspace

    document = standing_document(open_workspace(repo))
    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    rows = [_row(one, canary) for one in document["reviewers"] for canary in one["canaries"]]
    output.table(document, COLUMNS, rows, empty="no verifier is configured: name agents under [verify]")
    for one in document["reviewers"]:
        output.text(f"{one['reviewer']} ({one['agent']}): {describe_standing(one)}")


def describe_standing(reviewer: Mapping[str, Any]) -> str:
    """Whether a reviewer counts, in words."""
    if reviewer["counts"]:
        return "counts"
    return f"does not count: {reviewer['reason']}" if reviewer["is_tried"] else "not tried yet: `run` does it first"


def _describe(tried: Tried) -> str:
    told = tried.told or ("passed what is sound" if tried.canary.is_sound else f"caught the fault ({tried.verdict})")
    return f"{tried.judge.reviewer} ({tried.judge.agent}), {tried.canary.name}: {told}"


def _row(reviewer: Mapping[str, Any], canary: Mapping[str, Any]) -> tuple[str, ...]:
    result = _RESULTS[canary["result"]]
    is_old = canary["result"] == "right" and not canary["is_fresh"]
    when = (canary["at"] or "")[:16].replace("T", " ")
    shown = f"{result} (too old)" if is_old else result
    return reviewer["reviewer"], reviewer["agent"], canary["name"], canary["language"], shown, when
