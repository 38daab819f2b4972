"""`switchyard stack land`, and what people say of pull requests on the local forge before it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from switchyard.cli.box_options import Image, Kind, NoIsolation, open_for_boxes
from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.render import Output

if TYPE_CHECKING:
    from switchyard.landings import Landing

SCHEMA, REVIEW_SCHEMA = "switchyard.landing/1", "switchyard.review/1"
COLUMNS = ("pull request", "task", "outcome", "note")
Stack = Annotated[
    str, typer.Argument(metavar="[NAME]", help="A stack that people published. Default: the factory's own.")
]
Method = Annotated[
    str | None, typer.Option("--method", metavar="squash|rebase|merge", help="What a pull request becomes on the base.")
]
Batch = Annotated[
    int | None, typer.Option("--batch", min=1, metavar="N", help="Check N together before the first of them lands.")
]
Check = Annotated[
    list[str] | None,
    typer.Option("--check", metavar="CMD", help="Check with this command instead of [checks]; may be repeated."),
]
Unchecked = Annotated[bool, typer.Option("--unchecked", help="Land without any check: the base may turn red.")]
Approval = Annotated[
    bool | None, typer.Option("--approval/--no-approval", help="Whether somebody must have approved each.")
]
Recheck = Annotated[bool, typer.Option("--recheck", help="Forget what earlier checks said, such as of a flaky one.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would land if it is green; change nothing.")]
Pulls = Annotated[list[str], typer.Argument(metavar="NUMBER|TASK…", help="Pull requests by number, task or branch.")]
Note = Annotated[str, typer.Option("--note", "-m", metavar="TEXT", help="Why; kept with the pull request.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Whose opinion it is. Default: you.")]


def register(app: typer.Typer) -> None:
    """Hang the commands on `switchyard stack`."""
    app.command()(land)
    app.command()(approve)
    app.command("request-changes")(request_changes)


def land(
    name: Stack = "",
    method: Method = None,
    batch: Batch = None,
    check: Check = None,
    unchecked: Unchecked = False,
    approval: Approval = None,
    recheck: Recheck = False,
    dry_run: DryRun = False,
    sandbox: Kind = None,
    image: Image = None,
    accept_no_isolation: NoIsolation = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Merge what is approved and green, parents first.

    What the base would become is checked in a fresh sandbox before it moves. Ends with 1 if anything waits, or was
    left out for being red.
    """
    from switchyard.cli.workspace import telling_waits
    from switchyard.landings import LandRequest, foresee_landing, land_stack

    flags = {"landing.method": method, "landing.batch": batch, "landing.needs_approval": approval}
    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    workspace = telling_waits(open_for_boxes(repo, sandbox, image=image, others=flags), output)
    commands = {f"check-{number}" if number > 1 else "check": one for number, one in enumerate(check or (), 1)}
    request = LandRequest(name, commands, unchecked, recheck, accept_no_isolation, os.environ)
    landing = foresee_landing(workspace, request) if dry_run else land_stack(workspace, request, output.note)
    raise typer.Exit(_show(landing, output))


def approve(
    pulls: Pulls,
    note: Note = "",
    by: By = "",
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Approve pull requests of the local forge.

    On other forges people do that there.
    """
    _review(pulls, "approved", note, by, repo, Output(as_json=as_json, quiet=quiet, verbose=verbose))


def request_changes(
    pulls: Pulls,
    note: Note = "",
    by: By = "",
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Keep pull requests of the local forge from landing.

    They land once the same person has approved them.
    """
    _review(pulls, "changes_requested", note, by, repo, Output(as_json=as_json, quiet=quiet, verbose=verbose))


def _review(
    names: Sequence[str],
    opinion: Literal["approved", "changes_requested"],
    note: str,
    by: str,
    repo: Path | None,
    output: Output,
) -> None:
    from switchyard.cli.workspace import open_workspace
    from switchyard.landings import review_pulls

    workspace, who = open_workspace(repo, must_be_configured=False), by or getuser()
    chosen = review_pulls(workspace, names, opinion, by=who, note=note, environ=os.environ)
    document = {
        "schema": REVIEW_SCHEMA,
        "opinion": opinion,
        "by": who,
        "note": note,
        "pull_requests": [{"number": pull.number, "task": pull.task} for pull in chosen],
    }
    words = opinion.replace("_", " ")
    output.document(document, "\n".join(f"#{pull.number} {pull.task}: {words} by {who}" for pull in chosen))


def _show(landing: Landing, output: Output) -> int:
    """Print what came of it; the exit code."""
    document = _document(landing)
    output.table(document, COLUMNS, _rows(landing, document), empty=f"nothing to land on {landing.base}")
    if document["base_red"]:
        output.warning(f"{landing.base} itself is red: nothing lands before that is mended")
    if document["landed"]:
        output.note(f"{landing.base} has moved")
    return 1 if document["waiting"] or document["ejected"] or document["base_red"] else 0


def _document(landing: Landing) -> dict[str, Any]:
    """`switchyard.landing/1`."""
    done, foreseen = landing.done, landing.foreseen
    ejected = {one.branch: one for one in done.ejected} if done else {}
    waiting = (done.waiting if done else None) or (foreseen.waiting if foreseen else None) or {}
    return {
        "schema": SCHEMA,
        "stack": landing.stack,
        "base": landing.base,
        "dry_run": done is None and foreseen is not None,
        "foreseen": [_pull(landing, one.branch) for one in (foreseen.landing if foreseen else ())],
        "restacked": list(foreseen.restacked) if foreseen else [],
        "landed": [
            _pull(landing, one.branch) | {"commit": one.commit, "foreseen": one.was_foreseen}
            for one in (done.landed if done else ())
        ],
        "ejected": [
            _pull(landing, one.branch)
            | {"because_of": one.because_of or None, "beside": list(one.beside), "evidence": one.evidence}
            for one in ejected.values()
        ],
        "waiting": [
            _pull(landing, branch) | {"reason": reason} for branch, reason in waiting.items() if branch not in ejected
        ],
        "checks": done.runs if done else 0,
        "base_red": bool(done and done.is_base_red),
    }


def _pull(landing: Landing, branch: str) -> dict[str, Any]:
    pull = landing.pulls.get(branch)
    task = pull.task if pull else branch.rpartition("/")[2]
    return {"number": pull.number if pull else None, "task": task, "branch": branch}


def _rows(landing: Landing, document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    notes: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "landed": lambda one: f"as {one['commit'][:10]} onto {document['base']}",
        "foreseen": lambda one: "would be restacked first" if one["branch"] in document["restacked"] else "",
        "ejected": _why_ejected,
        "waiting": lambda one: one["reason"],
    }
    words = {"foreseen": "would land", "waiting": "waits"}
    return [
        (
            f"#{one['number']}" if one["number"] else "",
            one["task"],
            words.get(outcome, outcome),
            _shortened(landing, note(one)),
        )
        for outcome, note in notes.items()
        for one in document[outcome]
    ]


def _shortened(landing: Landing, text: str) -> str:
    """Text in which pull requests stand for their branches, whose names are long."""
    for branch in sorted(landing.pulls, key=len, reverse=True):
        text = text.replace(branch, f"#{landing.pulls[branch].number} {landing.pulls[branch].task}")
    return text


def _why_ejected(one: Mapping[str, Any]) -> str:
    if one["because_of"]:
        return f"stands on {one['because_of']}, which is red"
    first = next(iter(one["evidence"].splitlines()), "its checks are red")
    beside = len(one["beside"])
    return f"{first}; on top of {beside} other{'s' if beside > 1 else ''}" if beside else first
