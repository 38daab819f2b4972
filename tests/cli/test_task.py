"""`switchyard task` from the outside: stdout, stderr, exit code, and the files it leaves."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Shell

GOLDEN = Path(__file__).with_name("golden")
SWITCHYARD = Path(sys.executable).with_name("switchyard")
FOLDER = ".switchyard/tasks"


def test_a_task_is_added_from_flags(shell: Shell) -> None:
    ending = shell.run(
        "task", "add", "--title", "Serve rates!", "-b", "Do it.", "-a", "one", "-a", "two", "-l", "api",
        "--check", "lint=ruff check",
    )  # fmt: skip
    assert (ending.code, ending.out, ending.err) == (0, f"added serve-rates: {FOLDER}/serve-rates.md\n", "")
    assert (shell.folder / FOLDER / "serve-rates.md").read_text() == (
        "---\nid: serve-rates\ntitle: Serve rates!\nstate: draft\nlabels: [api]\nchecks: {lint: ruff check}\n---\n"
        "Do it.\n\n## Acceptance\n- [ ] one\n- [ ] two\n"
    )


def test_the_json_of_tasks_is_as_agreed(shell: Shell) -> None:
    shell.run("task", "add", "model", "--title", "Model")
    ending = shell.run(
        "task", "add", "api", "--title", "API", "-d", "model", "--target", "src/api.py", "-p", "1", "-l", "web",
        "--agent", "fast", "--context-file", "docs/api.md", "--allow", "tests", "--minutes", "30", "--repairs", "2",
        "--check", "lint=ruff check", "--body", "Prose.", "-a", "works", "--state", "ready", "--json",
    )  # fmt: skip
    assert ending.document == json.loads((GOLDEN / "task_add.json").read_text())
    assert shell.run("task", "view", "api", "--json").document == ending.document
    listed = shell.run("task", "list", "--json").document
    assert listed["schema"] == "switchyard.tasks/1"
    assert [task["id"] for task in listed["tasks"]] == ["api", "model"]


def test_the_body_comes_from_stdin_or_a_file(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("From é stdin.\r\n".encode())))
    assert shell.run("task", "add", "a", "--title", "A", "-F", "-").code == 0
    body = shell.write("body.md", "From a file.\n")
    assert shell.run("task", "add", "b", "--title", "B", "--body-file", body).code == 0
    tasks = shell.run("task", "list", "--json").document["tasks"]
    assert [task["body"] for task in tasks] == ["From é stdin.\n", "From a file.\n"]


def test_listing_an_empty_tracker_is_no_error_and_says_what_to_do(shell: Shell) -> None:
    ending = shell.run("task", "list")
    assert (ending.code, ending.out) == (0, "")
    assert "switchyard task add" in ending.err
    assert shell.run("task", "list", "--json").document == {"schema": "switchyard.tasks/1", "tasks": []}


def test_the_list_is_a_table_that_can_be_narrowed(shell: Shell) -> None:
    shell.run("task", "add", "a", "--title", "First", "-l", "x")
    shell.run("task", "add", "b", "--title", "Second", "-d", "a", "--state", "ready")
    assert shell.run("task", "list").out == (
        "TASK  STATE  PRIORITY  DEPENDS ON  LABELS  TITLE\n"
        "a     draft  3                     x       First\n"
        "b     ready  3         a                   Second\n"
    )
    assert [task["id"] for task in shell.run("task", "list", "--label", "x", "--json").document["tasks"]] == ["a"]
    assert [task["id"] for task in shell.run("task", "list", "--state", "ready", "--json").document["tasks"]] == ["b"]


def test_flags_change_one_key_and_leave_comments(shell: Shell) -> None:
    file = shell.write(f"{FOLDER}/a.md", "---\nid: a  # mine\ntitle: A # old\nlabels: [x]\n---\nBody\n")
    ending = shell.run("task", "edit", "a", "--title", "B", "--unset", "labels")
    assert (ending.code, ending.out) == (0, f"edited a: {FOLDER}/a.md\n")
    assert file.read_text() == "---\nid: a  # mine\ntitle: B # old\nlabels: []\n---\nBody\n"


def test_a_budget_keeps_what_was_not_given(shell: Shell) -> None:
    shell.run("task", "add", "a", "--title", "A", "--minutes", "10")
    assert shell.run("task", "edit", "a", "--repairs", "1", "--json").document["tasks"][0]["budget"] == {
        "minutes": 10,
        "repairs": 1,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add",), "needs a title"),
        (("add", "a b", "--title", "A"), "no task id"),
        (("add", "join-a", "--title", "A"), "reserved"),
        (("add", "--title", "!!"), "no id can be made"),
        (("add", "x", "--title", "A"), "exists"),
        (("add", "y", "--title", "A", "-d", "nope"), "does not exist"),
        (("add", "y", "--title", "A", "--check", "lint"), "is no check"),
        (("add", "y", "--title", "A", "--allow", "all"), "not one of tests, protected, dependencies"),
        (("add", "y", "--title", "A", "--target", "/etc/passwd"), "inside the repository"),
        (("add", "y", "--title", "A", "-b", "x", "-F", "y"), "cannot be given together"),
        (("add", "y", "--title", "A", "-F", "missing.md"), "No such file"),
        (("view", "y"), "no task 'y'"),
        (("edit", "x"), "no terminal for an editor"),
        (("edit", "x", "--unset", "title"), "no such key"),
        (("edit", "x", "-d", "x"), "circle: x → x"),
        (("hold", "x"), "it is draft"),
        (("approve", "x", "y"), "no task 'y'"),
        (("import", "missing.yaml"), "No such file"),
    ],
)
def test_what_cannot_be_done_is_two_and_changes_nothing(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    shell.run("task", "add", "x", "--title", "X")
    before = {file.name: file.read_bytes() for file in (shell.folder / FOLDER).iterdir()}
    ending = shell.run("task", *arguments)
    assert (ending.code, ending.out) == (2, "")
    assert said in ending.err
    assert {file.name: file.read_bytes() for file in (shell.folder / FOLDER).iterdir()} == before


def test_a_faulty_file_is_named_with_its_line(shell: Shell) -> None:
    shell.write(f"{FOLDER}/a.md", "---\nid: a\ntitle: A\nstat: ready\n---\n")
    ending = shell.run("task", "list")
    assert ending.code == 2
    assert f"error: {FOLDER}/a.md:4: unknown key 'stat'; did you mean 'state'?" in ending.err


def test_the_verbs_set_the_state(shell: Shell) -> None:
    shell.run("task", "add", "a", "--title", "A")
    for verb, state in (("approve", "ready"), ("hold", "held"), ("release", "ready"), ("cancel", "cancelled")):
        ending = shell.run("task", verb, "a")
        assert (ending.code, ending.out) == (0, f"{state} a: {FOLDER}/a.md\n")
    assert shell.run("task", "view", "a", "--json").document["tasks"][0]["state"] == "cancelled"


def test_a_plan_is_imported_whole_or_not_at_all(shell: Shell) -> None:
    shell.write("plan.yaml", "- {id: a, title: A, depends_on: [b]}\n- id: b\n  title: B\n  body: |\n    Do it.\n")
    ending = shell.run("task", "import", "plan.yaml")
    assert (ending.code, ending.out) == (0, f"imported a: {FOLDER}/a.md\nimported b: {FOLDER}/b.md\n")
    (shell.folder / FOLDER / "b.md").unlink()
    assert shell.run("task", "import", "plan.yaml").code == 2
    assert not (shell.folder / FOLDER / "b.md").exists()


def test_the_folder_of_tasks_is_the_configured_one(shell: Shell) -> None:
    shell.write("switchyard.toml", '[tasks]\npath = "work items"\n')
    assert shell.run("task", "add", "a", "--title", "A").out == "added a: work items/a.md\n"


def test_another_repository_is_reached_by_repo(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shell.run("task", "add", "a", "--title", "A", "--repo", shell.folder).code == 0
    assert (shell.folder / FOLDER / "a.md").exists()


def test_without_a_work_tree_or_a_repository_it_says_so(shell: Shell, tmp_path: Path) -> None:
    shell.git("init", "--quiet", "--bare", str(tmp_path / "bare.git"))
    bare = shell.run("task", "list", "--repo", tmp_path / "bare.git")
    assert (bare.code, "is bare" in bare.err) == (2, True)
    (tmp_path / "plain").mkdir()
    plain = shell.run("task", "list", "--repo", tmp_path / "plain")
    assert (plain.code, "not in a git repository" in plain.err) == (2, True)


def edit_on_a_terminal(shell: Shell, script: str) -> tuple[int, str, str]:
    """`task edit a` at a terminal with the script as editor. Returns code, stdout and what the terminal shows."""
    editor = shell.write("editor.sh", script)
    master, slave = pty.openpty()
    try:
        done = subprocess.run(
            [SWITCHYARD, "task", "edit", "a"],
            cwd=shell.folder,
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
            env={**os.environ, "EDITOR": f"sh '{editor}'", "VISUAL": "", "TMPDIR": str(shell.folder)},
            timeout=30,
        )
        os.close(slave)
        shown = os.read(master, 100_000).decode() if done.returncode else ""
    finally:
        os.close(master)
    return done.returncode, done.stdout.decode(), shown


def test_on_a_terminal_the_editor_opens(shell: Shell) -> None:
    shell.run("task", "add", "a", "--title", "A")
    code, out, _ = edit_on_a_terminal(shell, "sed -i 's/title: A/title: Edited/' \"$1\"\n")
    assert (code, out) == (0, f"edited a: {FOLDER}/a.md\n")
    assert "title: Edited" in (shell.folder / FOLDER / "a.md").read_text()


def test_what_was_typed_is_kept_when_it_is_refused(shell: Shell) -> None:
    shell.run("task", "add", "a", "--title", "A")
    code, _, shown = edit_on_a_terminal(shell, "echo 'a whole page' > \"$1\"\n")
    kept = next(shell.folder.glob("switchyard-edit-*/a.md"))
    assert code == 2
    assert str(kept) in shown.replace("\r\n", "")
    assert kept.read_text() == "a whole page\n"
    assert "title: A" in (shell.folder / FOLDER / "a.md").read_text()


def test_tasks_that_are_no_folder_are_a_clear_error(shell: Shell) -> None:
    shell.write(FOLDER, "a file")
    for arguments in (("list",), ("add", "a", "--title", "A"), ("view", "a")):
        ending = shell.run("task", *arguments)
        assert (ending.code, ending.out) == (2, "")
        assert "must be a folder" in ending.err


def test_the_shell_completes_ids_of_tasks(shell: Shell) -> None:
    for name in ("rates-api", "rates-model", "checkout"):
        shell.run("task", "add", name, "--title", "T")
    words = {"COMP_WORDS": "switchyard task view ra", "COMP_CWORD": "3", "_SWITCHYARD_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [SWITCHYARD], cwd=shell.folder, env={**os.environ, **words}, capture_output=True, text=True, timeout=30
    )
    assert done.stdout.split() == ["rates-api", "rates-model"]
    assert done.stderr == ""
