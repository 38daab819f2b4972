"""`switchyard retro`: what a run teaches; so far, how well the selected context fitted the work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.render import Output, table_text
from switchyard.cli.workspace import open_workspace

if TYPE_CHECKING:
    from switchyard.ledger import FactoryView, RunView

COLUMNS = ("task", "selected", "used", "precision", "changed", "had been selected", "recall")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(retro)


def retro(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="A run's id. Default: the newest.")] = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Report how well selected context fitted the work.

    Precision: of the files selected, those that an attempt read or changed. Recall: of the files changed, those that
    had been selected; new files don't count.
    """
    output, workspace = Output(as_json, quiet, verbose), open_workspace(repo, must_be_configured=False)
    from switchyard.ledger import connect, read_events
    from switchyard.reflection import retro_document

    wanted = _find(workspace.view(), run)
    with connect(workspace.places.database, read_only=True).connect() as connection:
        document = retro_document(wanted, read_events(connection, run_id=wanted.id))
    output.document(document, describe_retro(document))


def describe_retro(document: Mapping[str, Any]) -> str:
    """The report as text."""
    scored = [task for task in document["tasks"] if task["context"]]
    if not scored:
        return f"run {document['run']}: no task of it has ended with a selected context"
    rows = [(task["id"], *_cells(task["context"])) for task in scored]
    lines = [f"run {document['run']}", table_text(COLUMNS, [*rows, ("together", *_cells(document["context"]))])]
    lines.append(f"used: {document['context']['basis']}")
    for task in scored:
        context = task["context"]
        if context["unseen"]:
            lines.append(f"{task['id']}: what was read is not known ({context['unseen']}); used: {context['basis']}")
        lines += [f"{task['id']}: changed, not selected: {path}" for path in context["unselected"]]
    return "\n".join(lines)


def _cells(score: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(score["selected"]),
        str(score["used"]),
        _percent(score["precision"]),
        str(score["changed"]),
        str(score["changed_selected"]),
        _percent(score["recall"]),
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _find(view: FactoryView, name: str | None) -> RunView:
    from switchyard.errors import UsageError, did_you_mean
    from switchyard.packets import RunId

    if not view.runs:
        raise UsageError("nothing has run here yet", hint="`switchyard run` works on the tasks that are ready")
    if name is None:
        return list(view.runs.values())[-1]
    if RunId(name) not in view.runs:
        raise UsageError(f"no run {name!r}{did_you_mean(name, view.runs)}", hint="`switchyard status --json` has them")
    return view.runs[RunId(name)]
