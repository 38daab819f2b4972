"""A text is taken apart into what it says about code."""

from __future__ import annotations

import pytest
from switchyard_context.mentions import Frame, read_mentions

PYTHON = """Traceback (most recent call last):
  File "/usr/lib/python3/site-packages/pkg/cli.py", line 3, in main
    run()
  File "/usr/lib/python3/site-packages/pkg/core.py", line 9, in run
ValueError"""
JAVA = "Exception in thread main\n\tat com.acme.Shop.buy(Shop.java:12)\n\tat com.acme.Main.main(Main.java:3)"
GO = "panic: x\n\nmain.run()\n\t/src/app/run.go:12 +0x1\nmain.main()\n\t/src/app/main.go:3 +0x1"
RUST = "error[E0308]\n --> src/lexer.rs:1:2\n"
NODE = "TypeError: x\n    at read (/app/src/reader.ts:1:2)\n    at /app/src/main.ts:3:4"


@pytest.mark.parametrize(
    ("trace", "frames"),
    [
        (PYTHON, [("/usr/lib/python3/site-packages/pkg/core.py", 0), ("/usr/lib/python3/site-packages/pkg/cli.py", 1)]),
        (JAVA, [("com/acme/Shop.java", 0), ("com/acme/Main.java", 1)]),
        (GO, [("/src/app/run.go", 0), ("/src/app/main.go", 1)]),
        (RUST, [("src/lexer.rs", 0)]),
        (NODE, [("/app/src/reader.ts", 0), ("/app/src/main.ts", 1)]),
    ],
)
def test_the_place_that_failed_is_the_first_frame(trace: str, frames: list[tuple[str, int]]) -> None:
    assert [(frame.path, frame.depth) for frame in read_mentions(trace).frames] == frames


def test_a_frame_names_its_function() -> None:
    assert read_mentions(PYTHON).frames[0] == Frame("/usr/lib/python3/site-packages/pkg/core.py", "run", 0)


def test_paths_are_found_in_prose_and_in_links_to_a_file() -> None:
    text = (
        "See src/app/main.go and https://github.com/o/r/blob/1f2e/pkg/deep/file.rs#L3, not https://example.org/a/b.py"
    )
    assert set(read_mentions(text).paths) == {"src/app/main.go", "pkg/deep/file.rs"}


@pytest.mark.parametrize(
    ("text", "chain"),
    [
        ("calls `pkg.mod.Class`", ("pkg", "mod", "Class")),
        ("from pkg.mod import Class", ("pkg", "mod", "Class")),
        ("in tokio::sync::Mutex", ("tokio", "sync", "Mutex")),
        ("Gson#fromJson throws", ("Gson", "fromJson")),
    ],
)
def test_dotted_names_are_taken_apart(text: str, chain: tuple[str, ...]) -> None:
    assert chain in read_mentions(text).chains


@pytest.mark.parametrize(
    ("title", "scope"), [("fix(router): x", "router"), ("caddyhttp: x", "caddyhttp"), ("Fix x", "")]
)
def test_a_subject_names_its_scope(title: str, scope: str) -> None:
    assert read_mentions(title).scope == scope


def test_what_stands_in_comments_of_a_template_is_not_said() -> None:
    assert "screenshot" not in str(read_mentions("Bug\n<!-- attach a screenshotter -->\nBody").words)


def test_words_without_meaning_are_left_out_and_those_of_reports_weigh_less() -> None:
    words = read_mentions("the parser should report an error in parser").words
    assert "the" not in words and "should" not in words
    assert words["parser"] > 1 > words["error"]
