"""`switchyard context`: which files and symbols a task needs, and what the import graph knows."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from switchyard.cli.codebase import At, Exclude, Include, Place, known_files, open_place, read_codebase, tests_of
from switchyard.cli.context_text import describe_chain, describe_selection, draw_dot, draw_edges
from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.render import Output
from switchyard.cli.workspace import open_workspace
from switchyard.errors import UsageError

if TYPE_CHECKING:
    from switchyard_context import ImportGraph, Request, Selection

app = typer.Typer(help="Which files a task needs, picked from the import graph.")

Format = Literal["paths", "markdown", "json"]
Paths = Annotated[list[str], typer.Argument(metavar="PATH", help="Source files, from the top of the repository.")]


@app.callback(invoke_without_command=True)
def select(
    ctx: typer.Context,
    text: Annotated[str | None, typer.Option("--text", metavar="T", help="A task or an issue in prose.")] = None,
    text_file: Annotated[
        str | None, typer.Option("--text-file", metavar="F", help="The same from a file; - is stdin.")
    ] = None,
    task: Annotated[str | None, typer.Option("--task", metavar="ID", help="A task of the tracker.")] = None,
    seed: Annotated[
        list[str] | None, typer.Option("--seed", metavar="PATH[:SYMBOL]", help="Start from here; may be repeated.")
    ] = None,
    at: At = None,
    include: Include = None,
    exclude: Exclude = None,
    budget: Annotated[
        int | None, typer.Option("--budget", metavar="TOKENS", help="Never exceeded. Default: context.budget_tokens.")
    ] = None,
    top: Annotated[int | None, typer.Option("--top", metavar="N", help="At most N files.")] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE", help="Only target, dependency, type, test or config; may be repeated."),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", metavar="paths|markdown|json", help="How to print it.")
    ] = "paths",
    under: Annotated[
        list[str] | None,
        typer.Option(
            "--under", metavar="DIR", help="Stay in this folder, but for what targets import; may be repeated."
        ),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each file is in, and what is not.")] = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Pick the files and symbols that a task needs, best first, within a budget of tokens."""
    if ctx.invoked_subcommand is not None:
        _refuse_options_before(ctx)
        return
    from switchyard_context import select as select_files

    output = Output(as_json=as_json or output_format == "json", quiet=quiet, verbose=verbose)
    place = open_place(repo)
    request = _request(repo, place, _text(text, text_file), task, seed or (), budget, top, role or (), under or ())
    codebase = read_codebase(place, at, include, exclude, output)
    _show(select_files(codebase, request), output, output_format, explain=explain)


@app.command()
def graph(
    at: At = None,
    include: Include = None,
    exclude: Exclude = None,
    dot: Annotated[bool, typer.Option("--dot", help="In Graphviz's language.")] = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print every import between files.

    Imports that look local and lead nowhere are counted; --verbose and --json list them.
    """
    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    found = read_codebase(open_place(repo), at, include, exclude, output).graph
    output.document(found.as_json(), draw_dot(found) if dot else draw_edges(found))
    if found.unresolved:
        output.note(f"imports that look local and lead to no file: {len(found.unresolved)} (--verbose lists them)")
    for item in found.unresolved:
        output.detail(f"{item.path}:{item.line}: {item.imported}")


@app.command()
def why(
    importer: Annotated[str, typer.Argument(metavar="A", help="The file that imports.")],
    imported: Annotated[str, typer.Argument(metavar="B", help="The file that it comes to need.")],
    at: At = None,
    include: Include = None,
    exclude: Exclude = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print a shortest chain of imports from A to B.

    Exits 1 when A does not need B.
    """
    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    found = read_codebase(open_place(repo), at, include, exclude, output).graph
    chain = found.why(importer, imported)
    edges = None if chain is None else [edge.as_json() for edge in chain]
    lines = describe_chain(chain or ())
    output.document({"schema": "switchyard.why/1", "revision": found.revision, "chain": edges}, "\n".join(lines))
    if chain is None:
        output.note(f"no imports lead from {importer} to {imported}")
        raise typer.Exit(1)


@app.command()
def tests(
    paths: Paths,
    at: At = None,
    include: Include = None,
    exclude: Exclude = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print the tests that speak for the files, the likeliest first.

    By imports, names, content and history together; tests that only reach the files through imports follow.
    """
    output = Output(as_json, quiet, verbose)
    codebase = read_codebase(open_place(repo), at, include, exclude, output)
    subjects = known_files(codebase.graph, paths)
    _show_paths("tests", codebase.graph, subjects, tests_of(codebase, subjects), output)


@app.command()
def impact(
    paths: Paths,
    at: At = None,
    include: Include = None,
    exclude: Exclude = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print what a change of the files may break.

    That is everything that needs them through imports; the nearest come first.
    """
    output = Output(as_json, quiet, verbose)
    found = read_codebase(open_place(repo), at, include, exclude, output).graph
    subjects = known_files(found, paths)
    _show_paths("impact", found, subjects, dict.fromkeys(found.impact(subjects), ()), output)


def _request(
    repo: Path | None,
    place: Place,
    text: str,
    task: str | None,
    seeds: list[str] | tuple[str, ...],
    budget: int | None,
    top: int | None,
    roles: list[str] | tuple[str, ...],
    under: list[str] | tuple[str, ...],
) -> Request:
    from switchyard_context import Request

    if not (text or task or seeds):
        raise UsageError("nothing to select for", hint="give --text, --text-file, --task or --seed")
    found = open_workspace(repo, must_be_configured=False).store().get(task) if task is not None else None
    request = Request(
        text="\n\n".join(part for part in (*((found.title, found.body) if found else ()), text) if part),
        targets=found.targets if found else (),
        always=found.context_files if found else (),
        seeds=seeds,
        top=top,
        roles=roles,
        under=under,
    )
    tokens = budget if budget is not None else place.budget_tokens
    return request if tokens is None else replace(request, budget_tokens=tokens)


def _text(text: str | None, file: str | None) -> str:
    if text is not None and file is not None:
        raise UsageError("--text and --text-file were both given", hint="give one of them")
    if file is not None:
        try:
            data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise UsageError(f"{file} can't be read: {error.strerror}", hint="name a text file") from error
        text = data.decode("utf-8", "replace")
    if text is not None and not text.strip():
        raise UsageError("the text is empty", hint="say what is to be done, or leave the option out")
    return text or ""


def _refuse_options_before(ctx: typer.Context) -> None:
    given = [name for name in ctx.params if ctx.get_parameter_source(name) is not None and ctx.params[name]]
    if any(str(ctx.get_parameter_source(name)).endswith("COMMANDLINE") for name in given):
        raise UsageError(
            f"options stand before '{ctx.invoked_subcommand}'", hint=f"write them after '{ctx.invoked_subcommand}'"
        )


def _show(selection: Selection, output: Output, output_format: Format, *, explain: bool) -> None:
    from switchyard_context import render_markdown, render_paths

    if output_format == "markdown":
        text = render_markdown(selection)
    else:
        text = describe_selection(selection) if explain else render_paths(selection)
    output.document(selection.as_json(), text.rstrip("\n"))
    count = len(selection.files)
    output.note(f"{count} file{'s' if count != 1 else ''}, at most {selection.tokens} of {selection.budget} tokens")
    if not selection.files and not selection.dropped:
        output.note("nothing in the tree answers this: name a file with --seed, or an identifier or a path in the text")
    if selection.dropped and not explain:
        output.note(f"due but not in: {len(selection.dropped)} (--explain lists them)")


def _show_paths(
    what: str, found: ImportGraph, subjects: list[str], names: Mapping[str, tuple[str, ...]], output: Output
) -> None:
    """Files with the steps of imports that part them from the subjects; null where none lead there."""
    hops = found.distances(subjects, reverse=True)
    files = [
        {"path": path, "hops": hops.get(path), **({"reasons": list(reasons)} if reasons else {})}
        for path, reasons in names.items()
    ]
    document = {"schema": f"switchyard.{what}/1", "revision": found.revision, "files": files}
    output.document(document, "\n".join(names))
    if not names:
        output.note("none")
