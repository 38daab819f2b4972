"""`switchyard ledger`: the event log, and the check of its chain."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.render import Output

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer(help="The append-only event log in its hash chain.", no_args_is_help=True)

POLL_S = 0.2


@app.command()
def tail(
    lines: Annotated[int, typer.Option("--lines", "-n", metavar="N", min=0, help="How many rows, the newest.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing rows as they are written.")] = False,
    task: Annotated[str | None, typer.Option("--task", metavar="TASK", help="Rows of one task only.")] = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print the newest rows.

    With --json, one object a line.
    """
    engine, output = _open(repo), Output(as_json=as_json, quiet=quiet, verbose=verbose)
    last = _print_rows(engine, output, after=0, newest=lines, task=task)
    while follow:
        time.sleep(POLL_S)
        last = _print_rows(engine, output, after=last, newest=None, task=task)


@app.command()
def verify(repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Recompute every hash of the chain.

    Exits 1 and names the first row where the chain breaks.
    """
    from switchyard.ledger import LedgerBroken, verify_chain

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    try:
        with _open(repo).connect() as connection:
            rows = verify_chain(connection)
    except LedgerBroken as err:
        document = {"schema": "switchyard.verify/1", "ok": False, "rows": None, "first_broken": err.sequence}
        output.document({**document, "message": str(err)}, f"broken: {err}")
        raise typer.Exit(1) from err
    document = {"schema": "switchyard.verify/1", "ok": True, "rows": rows, "first_broken": None}
    output.document(document, f"{rows} rows, the chain holds")


def _open(repo: Path | None) -> Engine:
    from switchyard.cli.workspace import open_workspace
    from switchyard.ledger import connect

    workspace = open_workspace(repo, must_be_configured=False)
    return connect(workspace.places.database, read_only=True)


def _print_rows(engine: Engine, output: Output, *, after: int, newest: int | None, task: str | None) -> int:
    from switchyard.cli.narration import narrate
    from switchyard.ledger import read_events

    with engine.connect() as connection:
        events = list(read_events(connection, after=after))
    shown = [event for event in events if task in (None, event.task_id)]
    for event in shown[len(shown) - newest if newest is not None and newest < len(shown) else 0 :]:
        told = narrate(event) or event.event_type.replace("_", " ")
        if output.as_json:
            output.line({**event.as_json(), "previous_hash": event.previous_hash, "hash": event.hash})
        else:
            output.text(f"{event.sequence:>6}  {event.timestamp[:19]}  {event.task_id or '-':<20}  {told}")
    return events[-1].sequence if events else after
