"""How documented commands are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from .console_blocks import Block, Typed, matches, read_blocks


def blocks(tmp_path: Path, *lines: str) -> list[Block]:
    document = tmp_path / "page.md"
    document.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_blocks(document)


def test_commands_are_told_from_what_they_show(tmp_path: Path) -> None:
    [block] = blocks(
        tmp_path, "Text.", "```console", "$ one", "shown", "$ two \\", "> more", "```", "```", "$ not", "```"
    )
    assert block.typed == (Typed("one", ("shown",)), Typed("two \\\nmore", ()))
    assert (block.label, block.where, block.exit_code) == ("page.md:2", "demo", 0)


def test_tags_say_where_and_how_a_block_ends(tmp_path: Path) -> None:
    tagged = blocks(
        tmp_path,
        *("```console after-run exit=1", "$ a", "```"),
        *('```console no-run reason="needs a token"', "$ b", "```"),
    )
    assert [(block.where, block.exit_code, block.reason) for block in tagged] == [
        ("after-run", 1, ""),
        ("not at all", 0, "needs a token"),
    ]


@pytest.mark.parametrize(
    ("tags", "problem"),
    [("norun", "unknown tags"), ("no-run", "belong together"), ('reason="why"', "belong together")],
)
def test_a_tag_that_would_silently_skip_a_block_is_refused(tmp_path: Path, tags: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        blocks(tmp_path, f"```console {tags}", "$ a", "```")


def test_a_block_that_types_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no line starts"):
        blocks(tmp_path, "```console", "switchyard run", "```")


def test_shown_lines_must_come_in_order_and_may_leave_gaps() -> None:
    output = "first   line\nsecond 42 line\nthird\n"
    assert matches(("first line", "second … line"), output)
    assert not matches(("third", "first line"), output)
    assert not matches(("second line",), output)
