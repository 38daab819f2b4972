"""What people get wrong: each fault is told with its file and line, and nothing is left half-done."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from end_to_end.plot import CONFIG, Ending, Plot


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Plot:
    return Plot(tmp_path_factory.mktemp("bad"))


@pytest.fixture
def plot(shared: Plot) -> Plot:
    """The shared plot as it was laid out."""
    shared.git("checkout", "-q", "--force", "main")
    shared.git("clean", "-qfdx")
    shutil.rmtree(shared.repo / ".git" / "switchyard", ignore_errors=True)
    return shared


def refused(plot: Plot, *arguments: str, place: str = "") -> dict[str, str]:
    """The error object of a command that ends with 2 and does nothing."""
    ending = plot.run(*arguments, "--json")
    assert ending.code == 2, ending
    assert list(ending.document) == ["error"]
    assert set(ending.error) == {"kind", "message", "hint"}
    assert plot.branches() == {}
    assert not (plot.repo / ".git" / "switchyard" / "switchyard.db").exists()
    assert ending.error["message"].startswith(place), ending.error
    return ending.error


def test_a_circle_of_tasks_names_the_circle_and_the_line(plot: Plot) -> None:
    plot.task("a", "depends_on: [b]")
    plot.task("b", "depends_on: [a]")
    error = refused(plot, "run", place=".switchyard/tasks/a.md:5: ")
    assert "a → b → a" in error["message"]


def test_an_unknown_dependency_names_what_was_meant(plot: Plot) -> None:
    plot.task("rates")
    plot.task("api", "depends_on: [rate]")
    error = refused(plot, "run", place=".switchyard/tasks/api.md:5: ")
    assert "did you mean 'rates'" in error["message"]


def test_every_fault_of_every_file_is_told_at_once(plot: Plot) -> None:
    plot.task("a", "targest: [x]")
    plot.write(".switchyard/tasks/b.md", "---\nid: b\ntitle: one\n  two: x\n---\n")
    plot.write(".switchyard/tasks/c.md", "no front matter")
    (plot.repo / ".switchyard/tasks/d.md").write_bytes(b"---\nid: d\ntitle: caf\xe9\n---\n")
    plot.write(".switchyard/tasks/e.md", "---\nid: f\ntitle: E\n---\n")
    told = refused(plot, "run")["message"].splitlines()
    assert [line.split(": ")[0] for line in told] == [
        f".switchyard/tasks/{place}" for place in ("a.md:5", "b.md:4", "c.md:1", "d.md:3", "e.md:2")
    ]
    assert "unknown key 'targest'; did you mean 'targets'?" in told[0]
    assert "not UTF-8 text: byte 0xe9" in told[3]


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ("nonsense = 1\n", "switchyard.toml:16: unknown key 'limits.nonsense'"),
        ('[repository]\nbase = "-x --upload-pack=y"\n', "switchyard.toml:17: "),
        ('[repository]\nbase = "a..b"\n', "switchyard.toml:17: "),
        ("[[", "switchyard.toml:16: not valid TOML"),
    ],
)
def test_a_wrong_configuration_is_told_with_its_line_before_anything_runs(plot: Plot, wrong: str, place: str) -> None:
    plot.task("a")
    plot.write("switchyard.toml", CONFIG + wrong)
    assert refused(plot, "run", place=place)["kind"] == "config"
    assert not (plot.repo / ".git" / "switchyard").exists()


def test_doctor_tells_a_wrong_configuration_among_everything_else(plot: Plot) -> None:
    plot.write("switchyard.toml", CONFIG + "nonsense = 1\n")
    ending = plot.run("doctor", "--json")
    found = {line["name"]: line for line in ending.document["environment"]}
    assert ending.code == 1
    assert not found["configuration"]["ok"] and "limits.nonsense" in found["configuration"]["detail"]
    assert found["git"]["ok"] and "state" in found


def test_a_task_file_as_large_as_a_log_is_refused_rather_than_read(plot: Plot) -> None:
    plot.task("huge", body="words " * 50_000)
    assert "context_files" in refused(plot, "run", place=".switchyard/tasks/huge.md: larger than 256 KiB")["hint"]


def test_a_base_that_does_not_exist_lists_those_that_do(plot: Plot) -> None:
    plot.task("a")
    plot.write("switchyard.toml", CONFIG + '[repository]\nbase = "trunk"\n')
    error = refused(plot, "run")
    assert "no branch 'trunk'" in error["message"] and "it has: main" in error["hint"]


def test_a_repository_without_commits_and_a_folder_without_repository_are_told_apart(
    plot: Plot, tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "empty")], check=True, env=plot.env)
    (tmp_path / "empty" / "switchyard.toml").write_text(CONFIG)
    assert "no commits" in plot.run("run", "--json", at=tmp_path / "empty").error["message"]
    outside = plot.run("run", "--json", "--repo", str(tmp_path))
    assert (outside.code, outside.error["kind"]) == (2, "not_a_repository")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_that_belongs_to_somebody_else_is_refused_with_the_way_out(plot: Plot) -> None:
    for place in (plot.repo, plot.repo / ".git"):
        os.chown(place, 1234, 1234)
    try:
        ending = plot.run("run", "--json")
    finally:
        for place in (plot.repo, plot.repo / ".git"):
            os.chown(place, 0, 0)
    assert (ending.code, ending.error["kind"]) == (2, "untrusted_repository")
    assert "safe.directory" in ending.error["hint"]


def test_a_faulty_task_file_does_not_hide_where_the_others_stand(plot: Plot) -> None:
    plot.task("fine")
    plot.write(".switchyard/tasks/broken.md", "no front matter")
    ending = plot.run("status", "--json")
    assert (ending.code, [row["id"] for row in ending.document["tasks"]]) == (0, ["fine"])
    assert ending.err.startswith("warning: .switchyard/tasks/broken.md:1: ")
    assert plot.run("show", "fine").code == 0


def test_an_unreachable_remote_is_told_without_its_password_and_nothing_is_recorded(plot: Plot) -> None:
    plot.task("a")
    plot.git("remote", "set-url", "origin", "http://me:hunter2@127.0.0.1:1/x.git")
    try:
        ending = plot.run("run", "--json")
    finally:
        plot.git("remote", "set-url", "origin", str(plot.origin))
    assert (ending.code, ending.error["kind"]) == (1, "remote_unavailable")
    assert "hunter2" not in ending.out + ending.err
    assert not (plot.repo / ".git" / "switchyard" / "switchyard.db").exists()


COMMANDS = [
    "init", "plan", "run", "status", "show x", "cancel x", "doctor", "ledger tail", "ledger verify",
    "stack status", "stack land x", "stack approve x", "stack request-changes x",
    "sandbox run -- true", "sandbox list", "sandbox reap", "sandbox probe",
    "escalation list", "escalation accept x", "escalation reject x", "escalation retry x",
    "context --text x", "context graph", "context why a b", "context tests a", "context impact a",
    "task list", "task view x", "task add", "task approve x", "task hold x", "task release x", "task cancel x",
]  # fmt: skip


@pytest.mark.parametrize("fault", ["outside", "unknown option"])
def test_every_command_answers_a_wrong_call_with_one_error_object(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from switchyard.cli.main import main

    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        name, _, rest = command.partition(" -- ")
        extra = ["--no-such-option"] if fault == "unknown option" and "run --" not in command else []
        capsys.readouterr()
        code = main([*name.split(), *extra, "--json", *(["--", rest] if rest else [])])
        captured = capsys.readouterr()
        ending = Ending(code, captured.out, captured.err)
        assert (ending.code, ending.err) == (2, ""), (command, ending)
        assert set(json.loads(ending.out)["error"]) == {"kind", "message", "hint"}, command
