"""Exit codes, error objects and what leaves on which stream, whatever the command."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from switchyard.cli.main import app, main
from switchyard.cli.render import Output, clean, table_text
from switchyard.errors import TaskFileError, WorkFailed

from .conftest import Shell

SWITCHYARD = Path(sys.executable).with_name("switchyard")


@pytest.fixture
def failing() -> typer.Typer:
    """The real command line with one command more, which ends as its argument says."""
    endings: dict[str, BaseException] = {
        "work": WorkFailed("2 tasks failed", hint="see 'switchyard show'"),
        "bug": ZeroDivisionError("a \x1b[31mred\x1b[0m slip"),
        "interrupt": KeyboardInterrupt(),
        "file": TaskFileError("wrong", file=Path("a.md"), line=3),
    }

    @app.command("fail-for-test")
    def fail(how: str, as_json: bool = typer.Option(False, "--json")) -> None:
        raise endings[how]

    yield app  # type: ignore[misc]
    app.registered_commands.pop()


def test_help_and_version_go_to_stdout(nowhere: Shell) -> None:
    assert "task" in nowhere.run("--help").out
    version = nowhere.run("--version")
    assert (version.code, version.out.split()[0], version.err) == (0, "switchyard", "")


def command_lines(group: typer.Typer = app, *path: str) -> list[tuple[str, ...]]:
    nested = [
        line for child in group.registered_groups for line in command_lines(child.typer_instance, *path, child.name)
    ]
    commands = [command.name or command.callback.__name__ for command in group.registered_commands]
    return [path, *nested, *((*path, name) for name in commands)]


@pytest.mark.parametrize("line", command_lines(), ids=" ".join)
def test_every_help_fits_a_narrow_terminal(nowhere: Shell, line: tuple[str, ...]) -> None:
    ending = nowhere.run(*line, "--help")
    assert ending.code == 0
    assert "..." not in ending.out.partition("Commands:")[2], "a summary was cut"
    assert not re.search(r"\[\[|<(list|int|str)\b.*>  ", ending.out.partition("Options:")[2])
    assert max(map(len, ending.out.splitlines())) <= 80


def test_no_command_shows_help_on_stderr_and_is_wrong_usage(nowhere: Shell) -> None:
    ending = nowhere.run()
    assert (ending.code, ending.out) == (2, "")
    assert "Usage: switchyard" in ending.err
    assert "Usage: switchyard task" in nowhere.run("task").err


@pytest.mark.parametrize(
    "arguments", [("tsk",), ("task", "list", "--nope"), ("task", "view"), ("task", "add", "-p", "9")]
)
def test_wrong_usage_is_two_as_text_and_as_json(nowhere: Shell, arguments: tuple[str, ...]) -> None:
    text = nowhere.run(*arguments)
    assert (text.code, text.out) == (2, "")
    assert text.err.startswith("error: ")
    document = nowhere.run(*arguments, "--json")
    assert document.code == 2
    assert set(document.document["error"]) == {"kind", "message", "hint"}
    assert document.document["error"]["kind"] == "usage"
    assert document.err == ""


def test_json_after_two_dashes_belongs_to_another_command(nowhere: Shell) -> None:
    ending = nowhere.run("tsk", "--", "--json")
    assert (ending.code, ending.out) == (2, "")


def test_work_that_failed_is_one(nowhere: Shell, failing: typer.Typer) -> None:
    ending = nowhere.run("fail-for-test", "work")
    assert (ending.code, ending.out) == (1, "")
    assert ending.err == "error: 2 tasks failed\nhint: see 'switchyard show'\n"
    assert nowhere.run("fail-for-test", "work", "--json").document["error"]["kind"] == "work_failed"


def test_a_wrong_file_is_two_with_its_place(nowhere: Shell, failing: typer.Typer) -> None:
    ending = nowhere.run("fail-for-test", "file", "--json")
    assert ending.code == 2
    assert ending.document["error"] == {"kind": "task_file", "message": "a.md:3: wrong", "hint": ""}


def test_a_bug_is_three_and_its_trace_is_in_the_named_log(nowhere: Shell, failing: typer.Typer, tmp_path: Path) -> None:
    ending = nowhere.run("fail-for-test", "bug")
    log = next((tmp_path / "state" / "switchyard").iterdir())
    assert (ending.code, ending.out) == (3, "")
    assert str(log) in ending.err
    assert "ZeroDivisionError" in log.read_text()
    assert "\x1b" not in ending.err


def test_an_interrupt_is_130(nowhere: Shell, failing: typer.Typer) -> None:
    assert nowhere.run("fail-for-test", "interrupt").code == 130


def test_a_reader_that_goes_away_is_no_bug(shell: Shell) -> None:
    for number in range(3):
        shell.run("task", "add", f"t{number}", "--title", "T")
    process = subprocess.Popen(
        [SWITCHYARD, "task", "list"], cwd=shell.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as stderr:
        assert stderr.read() == b""
    assert process.wait() != 3


@pytest.mark.parametrize("as_json", ["", "--json"])
def test_a_result_that_found_no_room_is_told_and_no_success(shell: Shell, as_json: str) -> None:
    shell.run("task", "add", "one", "--title", "T")
    with open("/dev/full", "w") as full:
        line = [SWITCHYARD, "task", "list", *as_json.split()]
        process = subprocess.run(line, cwd=shell.folder, stdout=full, stderr=subprocess.PIPE, text=True)
    assert process.returncode == 1
    assert process.stderr.startswith("error: <stdout> can't be written to: No space left on device\nhint: ")
    assert "Traceback" not in process.stderr


def test_a_current_directory_that_was_removed_is_wrong_usage(
    nowhere: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(["stack", "status"]) == 2
    told = nowhere.capture.readouterr()
    assert (told.out, "current directory was removed" in told.err) == ("", True)


def test_streams_that_the_starter_closed_lead_nowhere(shell: Shell) -> None:
    line = f'"{SWITCHYARD}" task add one --title T --body - <&- >&- 2>&-'
    assert subprocess.run(["/bin/sh", "-c", line], cwd=shell.folder).returncode == 0
    assert "one" in shell.run("task", "list").out


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, switchyard.cli.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"dbos", "networkx", "numpy", "sqlalchemy", "pydantic", "rich", "git", "tree_sitter", "yaml", "jinja2"}
    assert not heavy & set(loaded)


def test_completion_scripts_are_printed_for_the_usual_shells() -> None:
    for shell_name in ("bash", "zsh", "fish"):
        done = subprocess.run(
            [SWITCHYARD, "--show-completion", shell_name],
            capture_output=True,
            text=True,
            env={"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "PATH": "/usr/bin:/bin"},
        )
        assert done.returncode == 0, done.stderr
        assert "_SWITCHYARD_COMPLETE" in done.stdout


def test_every_command_takes_the_four_options() -> None:
    from typer.main import get_command

    def leaves(command, path=()):  # type: ignore[no-untyped-def]
        for name, child in getattr(command, "commands", {}).items():
            if getattr(child, "commands", None):
                yield from leaves(child, (*path, name))
            else:
                yield (*path, name), {option for parameter in child.params for option in parameter.opts}

    found = dict(leaves(get_command(app)))
    assert ("task", "list") in found
    missing = {path: {"--repo", "--json", "--quiet", "--verbose"} - options for path, options in found.items()}
    assert {path: options for path, options in missing.items() if options} == {}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\rb\r\n", "a\\rb\n"),
        ("\u202eevil", "\\u202eevil"),
        ("\x9b31m", "\\x9b31m"),
        ("\ud800", "\\ud800"),
        ("tab\tline\né中", "tab\tline\né中"),
    ],
)
def test_text_that_could_fool_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_table_off_a_terminal_is_plain_and_never_wrapped() -> None:
    text = table_text(("TASK", "TITLE"), [("a", "x" * 300), ("b", "[bold]\x1b[31m")])
    assert text.splitlines() == ["TASK  TITLE", "a     " + "x" * 300, "b     [bold]\\x1b[31m"]


def test_quiet_keeps_hints_back_and_never_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(quiet=True)
    output.note("progress")
    output.warning("look")
    output.document({"a": 1}, "result")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("result\n", "warning: look\n")


def test_main_takes_the_command_line_of_the_process(monkeypatch: pytest.MonkeyPatch, nowhere: Shell) -> None:
    monkeypatch.setattr(sys, "argv", ["switchyard", "--version"])
    assert main() == 0
