"""The `switchyard` command: its groups, and the one place where errors become text and exit codes."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from switchyard.cli import (
    canary,
    context,
    demo,
    doctor,
    escalation,
    init,
    ledger,
    mcp,
    retro,
    run,
    sandbox,
    stack,
    task,
)
from switchyard.cli.render import Output
from switchyard.cli.signals import take_signals
from switchyard.cli.streams import OutputLost, discard_stdout, open_closed_streams
from switchyard.errors import SwitchyardError

DONE, FAILED, USAGE, BUG, INTERRUPTED = 0, 1, 2, 3, 130

# The parts' error classes and the exit code of each, by name: they are looked up along the class's ancestors,
# so that no part has to be imported to recognise an error it did not raise.
PART_ERRORS = {
    "switchyard_context.ContextError": FAILED,
    "switchyard_context.BadRequest": USAGE,
    "switchyard_git.GitError": FAILED,
    "switchyard_git.NotARepository": USAGE,
    "switchyard_git.UntrustedRepository": USAGE,
    "switchyard_git.UnknownRevision": USAGE,
    "switchyard_git.InvalidName": USAGE,
    "switchyard_merge.MergeError": FAILED,
    "switchyard_sandbox.SandboxError": FAILED,
    "switchyard_templates.TemplatesError": USAGE,
    "switchyard.AgentError": USAGE,
    "switchyard.LedgerError": FAILED,
    "switchyard.AttestationError": FAILED,
}


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"switchyard {version('switchyard-factory')}")
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A sandboxed software factory for monorepos: tasks in, proven and stacked pull requests out."""


# A module that is a group exposes `app` and stands in GROUPS;
# one of single commands exposes `register` and stands in COMMANDS.
GROUPS: tuple[tuple[str, typer.Typer], ...] = (
    ("task", task.app),
    ("context", context.app),
    ("escalation", escalation.app),
    ("stack", stack.app),
    ("sandbox", sandbox.app),
    ("ledger", ledger.app),
    ("canary", canary.app),
)
COMMANDS: tuple[Callable[[typer.Typer], None], ...] = (
    init.register,
    demo.register,
    run.register,
    doctor.register,
    retro.register,
    mcp.register,
)


def build_app(groups: Iterable[str] | None = None) -> typer.Typer:
    """The command with all that it can do, or with some of the groups alone."""
    app = typer.Typer(
        name="switchyard",
        help="A sandboxed software factory for monorepos: tasks in, proven and stacked pull requests out.",
        no_args_is_help=True,
        # Importing rich for help text alone would double the time that --help takes.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    for name, group in GROUPS:
        if groups is None or name in groups:
            app.add_typer(group, name=name)
    if groups is None:
        for register in COMMANDS:
            register(app)
    return app


app = build_app()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; what went wrong is said here and nowhere else."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments, Output(as_json=_wants_json(arguments)))
    except BrokenPipeError:
        # Whoever read our output has gone.
        discard_stdout()
        return FAILED
    except OutputLost as error:
        discard_stdout()
        with suppress(OutputLost):
            Output().error(error.kind, str(error), error.hint)
        return FAILED


def _run(arguments: Sequence[str], output: Output) -> int:
    try:
        code = _app_for(arguments)(args=arguments, prog_name="switchyard", standalone_mode=False)
    except KeyboardInterrupt:
        return INTERRUPTED
    except typer.Abort:
        output.error("cancelled", "cancelled: nothing was changed")
        return INTERRUPTED
    except Exception as error:
        return _report(error, output)
    return code if isinstance(code, int) else DONE


def _app_for(arguments: Sequence[str]) -> typer.Typer:
    """What can carry out a command line; turning all commands into parsers takes a tenth of a warm query."""
    first = next(iter(arguments), "")
    return build_app((first,)) if any(name == first for name, _ in GROUPS) else app


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` stands among our own arguments; what follows `--` belongs to another command."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in own


def _report(error: Exception, output: Output) -> int:
    if isinstance(error, typer.TyperException):
        return _report_usage(error, output)
    if _is_nowhere():
        output.error("usage", "the current directory was removed", "cd to one that is there")
        return USAGE
    if isinstance(error, SwitchyardError):
        # Places in files are shorter, and clickable, from where the user stands.
        output.error(error.kind, str(error).replace(f"{Path.cwd()}/", ""), error.hint)
        return error.exit_code
    code = _part_exit_code(type(error))
    if code is None:
        return _report_bug(error, output)
    output.error(_snake_case(type(error).__name__), str(error), str(getattr(error, "hint", "")))
    return code


def _is_nowhere() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _report_usage(error: typer.TyperException, output: Output) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and not output.as_json:
        typer.echo(context.get_help() if context is not None else str(error), err=True)
        return USAGE
    hint = f"see '{context.command_path} --help'" if context is not None else ""
    message = "no command given" if type(error).__name__ == "NoArgsIsHelpError" else error.format_message()
    output.error("usage", message, hint)
    return error.exit_code


def _part_exit_code(kind: type) -> int | None:
    for ancestor in kind.__mro__:
        code = PART_ERRORS.get(f"{ancestor.__module__.split('.')[0]}.{ancestor.__name__}")
        if code is not None:
            return code
    return None


def _report_bug(error: Exception, output: Output) -> int:
    log = _write_crash_log(error)
    output.error(
        "bug",
        f"{type(error).__name__}: {error}",
        f"this is a bug in switchyard; the whole trace is in {log}",
    )
    if output.as_json:
        output.note(f"the whole trace is in {log}")
    return BUG


def _write_crash_log(error: Exception) -> Path:
    text = "".join(traceback.format_exception(error))
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "switchyard"
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    for folder in (state, Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return folder / name
    sys.stderr.write(text)
    return Path("stderr")


def _snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def run_as_program() -> NoReturn:
    """The console script: `main`, with SIGTERM and SIGHUP taken as interrupts, and the process left for good."""
    open_closed_streams()
    take_signals()
    code = main()
    if code == INTERRUPTED or threading.active_count() > 1:
        # A run that was cut short leaves parked threads behind, which a normal exit would wait for.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run_as_program()
