"""Types every command of the documentation in a demo repository and compares what it shows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from switchyard_templates import lay_out_demo

from .console_blocks import Block, matches, read_blocks

TOP = Path(__file__).resolve().parents[2]
BLOCKS = [block for page in (TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))) for block in read_blocks(page)]
RUN = [block for block in BLOCKS if block.where != "not at all"]
AFTER_RUN = [block for block in RUN if block.where == "after-run"]
PAGES = sorted({block.document for block in AFTER_RUN})
THE_RUN = [
    block for block in RUN if block.document in PAGES and [one.command for one in block.typed] == ["switchyard run"]
]
"""What a page's later blocks stand on: it is typed once, before them."""
ALONE = [block for block in RUN if block not in (*AFTER_RUN, *THE_RUN)]
NOT_RUN = [block for block in BLOCKS if block.where == "not at all"]


def environment(home: Path) -> Mapping[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def type_in(command: str, repository: Path, home: Path) -> tuple[int, str]:
    done = subprocess.run(
        ("sh", "-c", command),
        cwd=repository,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )
    return done.returncode, done.stdout


def fresh_demo(top: Path) -> Path:
    (top / "home").mkdir()
    return lay_out_demo(top / "demo").repo


def check(block: Block, repository: Path, home: Path) -> None:
    for typed in block.typed:
        code, output = type_in(typed.command, repository, home)
        expected = block.exit_code if typed is block.typed[-1] else 0
        assert code == expected, f"{block.label}: {typed.command!r} ended with {code}:\n{output}"
        assert matches(typed.shown, output), f"{block.label}: {typed.command!r} showed:\n{output}"


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.parametrize("block", ALONE, ids=lambda block: block.label)
def test_the_documented_commands_do_what_the_page_shows(block: Block, tmp_path: Path) -> None:
    repository, home = fresh_demo(tmp_path), tmp_path / "home"
    if block.where == "unconfigured":
        type_in("git rm -rq switchyard.toml .switchyard", repository, home)
    check(block, repository, home)


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_after_a_run_the_commands_of_a_page_do_what_it_shows_one_after_the_other(page: Path, tmp_path: Path) -> None:
    """Each block stands on what those above it did, so one test types them all."""
    repository, home = fresh_demo(tmp_path), tmp_path / "home"
    blocks = [block for block in (*THE_RUN, *AFTER_RUN) if block.document == page]
    assert blocks[0] in THE_RUN, f"{page.name} never types `switchyard run` by itself"
    for block in blocks:
        check(block, repository, home)


def test_what_is_not_run_says_why(record_property: pytest.RecordProperty, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        for block in NOT_RUN:
            print(f"\n  {block.label} is not run: {block.reason}", end="")
    record_property("not_run", len(NOT_RUN))
    assert len(NOT_RUN) <= 6, "too much of the documentation is untested"


def test_the_documentation_types_commands_at_all() -> None:
    assert {block.document.name for block in RUN} >= {"guide.md"}


@pytest.mark.parametrize("page", [TOP / "README.md", *sorted((TOP / "docs").rglob("*.md"))], ids=lambda page: page.name)
def test_a_page_holds_no_mark_of_an_unfinished_merge(page: Path) -> None:
    marks = [line for line in page.read_text().splitlines() if line.startswith(("<<<<<<< ", "=======", ">>>>>>> "))]
    assert marks == []
