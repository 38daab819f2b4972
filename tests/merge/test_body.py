"""The body tells the task and its proof, keeps what people write, and cannot be forged from inside."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchyard_merge import CheckLine, Marker, ParentLine, PullRequestText, StackEntry, merge_body, render_body
from switchyard_merge.body import read_marker, read_parents

MARKER = Marker("d", "run-1", "c" * 40)
TEXT = PullRequestText(
    marker=MARKER,
    title="Join both rates",
    description="Use `a` and `b`.\n\n```py\nx = [1]\n```",
    acceptance=["both are used", "no cycle"],
    checks=[CheckLine("test", True, 1.25, "sha256:abc"), CheckLine("lint", False, 0.04, "sha256:def")],
    parents=[ParentLine("b", 2), ParentLine("c", 3)],
    stack=[
        StackEntry("a", "Root", 1, (), "merged"),
        StackEntry("b", "Left", 2, ("a",)),
        StackEntry("c", "Right", 3, ("a",)),
        StackEntry("d", "Join both rates", 4, ("b", "c")),
        StackEntry("e", "Later", None, ("d",)),
    ],
    base="main",
)


def test_the_body_reads_as_a_person_needs_it() -> None:
    assert render_body(TEXT) == (
        "<!-- switchyard:task=d run=run-1 head=" + "c" * 40 + " -->\n"
        "\n"
        "## Task\n\n**Join both rates** (`d`)\n\n> Use `a` and `b`.\n>\n> ```py\n> x = [1]\n> ```\n"
        "\n"
        "## Acceptance\n\n- [ ] both are used\n- [ ] no cycle\n"
        "\n"
        "<!-- switchyard:evidence -->\n## Evidence\n\n"
        "| check | result | took | output |\n|---|---|---|---|\n"
        "| test | ✅ passed | 1.2 s | `sha256:abc` |\n| lint | ❌ failed | 0.0 s | `sha256:def` |\n"
        "<!-- /switchyard:evidence -->\n"
        "\n"
        "<!-- switchyard:parents -->\n## Parents\n\nDepends-On: #2\nDepends-On: #3\n<!-- /switchyard:parents -->\n"
        "\n"
        "<!-- switchyard:navigation -->\n## Stack on `main`\n\n"
        "- #1 Root · merged\n  - #2 Left\n  - #3 Right\n    - 👉 #4 **Join both rates** (also on #2)\n"
        "      - e Later\n"
        "<!-- /switchyard:navigation -->\n"
    )


def test_what_was_written_is_read_back() -> None:
    assert read_marker(render_body(TEXT)) == MARKER
    assert read_parents(render_body(TEXT)) == [2, 3]
    assert read_marker("by hand") is None
    assert read_parents("Depends-On: #7") == []


def test_a_body_that_is_up_to_date_stays_the_very_same_text() -> None:
    body = render_body(TEXT)
    assert merge_body(body, body) == body
    windows = body.replace("\n", "\r\n")
    assert merge_body(windows, body) == windows


def test_what_people_write_outside_the_generated_parts_is_kept() -> None:
    edited = "Please look at line 3.\n\n" + render_body(TEXT).replace("both are used", "both are used, really")
    edited = edited.replace("<!-- switchyard:navigation -->", "A note in between.\n\n<!-- switchyard:navigation -->")
    edited += "\nReviewed-by: Ada\n"
    newer = replace(TEXT, marker=replace(MARKER, head="d" * 40), checks=[CheckLine("test", True, 9, "sha256:new")])
    merged = merge_body(edited, render_body(newer))
    for kept in ("Please look at line 3.", "both are used, really", "A note in between.", "Reviewed-by: Ada"):
        assert merged.count(kept) == 1
    assert "sha256:new" in merged
    assert "sha256:def" not in merged
    assert read_marker(merged) == newer.marker
    assert merge_body(merged, render_body(newer)) == merged


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "Opened by hand.",
        render_body(TEXT).replace("<!-- /switchyard:evidence -->", ""),
        render_body(TEXT).replace("<!-- switchyard:navigation -->", ""),
        render_body(TEXT) + render_body(TEXT),
        render_body(TEXT)[: render_body(TEXT).index("## Parents")],
    ],
)
def test_a_damaged_body_is_made_whole_once(damaged: str) -> None:
    body = render_body(TEXT)
    merged = merge_body(damaged, body)
    for name in ("evidence", "parents", "navigation"):
        assert merged.count(f"<!-- switchyard:{name} -->") == merged.count(f"<!-- /switchyard:{name} -->") == 1
    assert read_marker(merged) == MARKER
    assert merge_body(merged, body) == merged


FORGERY = (
    "<!-- switchyard:task=evil run=x head=y -->\n<!-- switchyard:evidence -->\nall green\n"
    "<!-- /switchyard:evidence -->\n<!-- switchyard:parents -->\nDepends-On: #66\n<!-- /switchyard:parents -->\n"
)


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\r", "\u2028", "\x0b", "\x85"])
def test_foreign_text_cannot_pass_for_a_marker(separator: str) -> None:
    text = FORGERY.replace("\n", separator)
    body = render_body(
        replace(TEXT, title=text, description=text, acceptance=[text], checks=[CheckLine(text, True, 1, text)])
    )
    assert read_marker(body) == MARKER
    assert read_parents(body) == [2, 3]
    assert merge_body(body, render_body(TEXT)).count("\n<!-- switchyard:evidence -->\n") == 1


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\r"])
def test_foreign_text_cannot_hide_what_follows(separator: str) -> None:
    text = separator.join(["<!--", "<details>", "```", "~~~", "<script>"])
    body = render_body(replace(TEXT, description=text, title=text, acceptance=[text]))
    outside = [
        line
        for line in re.split("\r\n|\r|\n", body)
        if not line.startswith(("> ", "<!-- switchyard", "<!-- /switchyard"))
    ]
    assert not any("<" in line or line.startswith(("```", "~~~")) for line in outside)


def test_foreign_text_calls_nobody_and_breaks_no_table() -> None:
    body = render_body(replace(TEXT, acceptance=["ask @ada"], checks=[CheckLine("a|b`c", True, 1, "x|y`z")]))
    assert "@ada" not in body
    assert "| a\\|b\\`c | ✅ passed | 1.0 s | `x\\|y'z` |" in body


def test_a_task_of_any_name_is_found_again() -> None:
    for name in ("a b", "x --> y", "-", "é/ü", "100%", "<b>", "", "line\nbreak", "a--b"):
        text = replace(TEXT, marker=Marker(name, "run 1", ""))
        found = read_marker(render_body(text))
        assert found == Marker(name if name != "-" else "", "run 1", "") or name == "-"


def test_a_very_long_task_is_cut() -> None:
    body = render_body(replace(TEXT, description="x" * 200_000))
    assert len(body) < 60_000
    assert "cut; the whole text" in body


def test_a_pull_request_alone_has_no_map() -> None:
    body = render_body(replace(TEXT, stack=[], parents=[], checks=[], acceptance=[], description=""))
    assert "stands alone" in body
    assert "None: this one stands on the base branch." in body
    assert "No check ran." in body


@given(st.text(max_size=300))
def test_any_body_of_a_person_survives_a_renewal(text: str) -> None:
    body = render_body(TEXT)
    merged = merge_body(text, body)
    assert merge_body(merged, body) == merged
    if "switchyard:" not in text:
        assert text.replace("\r\n", "\n").rstrip("\n") in merged


def test_a_page_stands_in_place_of_the_table_and_is_renewed() -> None:
    body = render_body(replace(TEXT, page="**Risk: low**\n\nAll well."))
    assert (
        "<!-- switchyard:evidence -->\n## Evidence\n\n**Risk: low**\n\nAll well.\n<!-- /switchyard:evidence -->" in body
    )
    assert "sha256:abc" not in body
    edited = f"A person's word.\n\n{body}"
    merged = merge_body(edited, render_body(replace(TEXT, page="Another page.")))
    assert merged == edited.replace("**Risk: low**\n\nAll well.", "Another page.")


def test_no_line_of_a_page_passes_for_a_marker() -> None:
    body = render_body(replace(TEXT, page=f"Well.\n{FORGERY}\nMore."))
    assert read_marker(body) == MARKER
    assert read_parents(body) == [2, 3]
    assert merge_body(body, render_body(TEXT)) == render_body(TEXT)


LONG_STACK = [StackEntry(f"t{n}", f"Title {n} {'x' * 60}", n, ()) for n in range(1, 700)]


@pytest.mark.parametrize(
    "much",
    [
        {"description": "\n" * 200_000},
        {"description": "a\n" * 100_000},
        {"acceptance": ["y" * 100] * 5_000},
        {"page": "z" * 30 + "\n" + ("p" * 99 + "\n") * 2_000},
        {"stack": [*TEXT.stack, *LONG_STACK]},
        {"description": "d\n" * 90_000, "acceptance": ["y"] * 9_000, "page": "p\n" * 40_000, "stack": LONG_STACK},
    ],
)
def test_a_body_is_never_longer_than_github_takes(much: dict[str, object]) -> None:
    text = replace(TEXT, **much)  # type: ignore[arg-type]
    for body in (render_body(text), merge_body(render_body(TEXT), render_body(text))):
        assert len(body) <= 65_536
        assert read_marker(body) == MARKER
        assert read_parents(body) == [2, 3]
        for name in ("evidence", "parents", "navigation"):
            assert body.count(f"<!-- switchyard:{name} -->") == body.count(f"<!-- /switchyard:{name} -->") == 1
        assert merge_body(body, render_body(text)) == body


def test_what_people_write_is_never_cut_the_generated_parts_give_way() -> None:
    words = "w" * 50_000
    merged = merge_body(f"{words}\n\n{render_body(TEXT)}", render_body(replace(TEXT, page="p" * 50 + "\nq" * 20_000)))
    assert len(merged) <= 65_536
    assert words in merged
    assert "(cut: the body would be longer" in merged
