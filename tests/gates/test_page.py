"""The reader's page is sized to the risk, leaves nothing out that matters, and cannot be written by who is judged."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from gates.samples import a_check, a_failed_check
from switchyard.gates.page import NO_VERIFIER, Account, PageFacts, render_page
from switchyard.gates.reading import look_first
from switchyard.gates.risk import FileFacts, judge_risk
from switchyard.packets import ArtifactRef, GateFinding, GateResult, Proof

QUIET = (
    GateResult.of("secrets", [], "no secret in 2 added lines"),
    GateResult.skipped("coverage", "no command"),
    GateResult.skipped("workflows", "no file of CI was changed"),
)
SMALL = PageFacts(
    proof=Proof(checks=(a_check(),), gates=QUIET),
    files=(FileFacts("src/money/rounding.py", added=1, removed=1, importers=2, tests=3),),
    account=Account("Round half to even.", "", 0.95),
)


def note(title: str, path: str = "", line: int = 0, asks: Any = "note") -> GateFinding:
    return GateFinding(title=title, asks=asks, path=path, line=line)


def large() -> PageFacts:
    gates = (
        GateResult.of("secrets", [], "no secret in 612 added lines"),
        GateResult.of("surface", [note("new subprocess: `subprocess.run`", "rates/fetch.py", 14)], "1 new"),
        GateResult.of("coverage", [note("line 40 is run by no test", "rates/fetch.py", 40)], "91 % of 212 lines"),
        GateResult.of("mutation", [note("no test fails when `a < b` becomes `a <= b`", "m/split.py", 9)], "18 of 19"),
        GateResult.of("verifiers", [], "quality by `claude` (opus): pass"),
        GateResult.skipped("licences", "no licence was changed"),
    )
    return PageFacts(
        proof=Proof(
            checks=(
                a_check(name="lint"),
                a_failed_check(
                    name="unit", base="failed_otherwise", is_flaky=True, runs=(False, True), environment="py39", tests=7
                ),
            ),
            gates=gates,
        ),
        files=(
            FileFacts("rates/fetch.py", "added", 212, tests=1, near="auth/token.py"),
            FileFacts("m/split.py", added=30, removed=12, importers=23, tests=4),
            FileFacts("tools/x.rb", "added", 9, is_read=False),
            FileFacts("rates/data.py", added=300, removed=40, tests=0),
        ),
        account=Account("Fetches rates.", "The file was stale.", 0.6, agent="claude"),
    )


def test_a_small_change_gets_a_few_lines() -> None:
    assert render_page(SMALL) == (
        "**Risk: low** (2 lines in 1 file, and nothing speaks against it)\n"
        "\n"
        "The agent says, with a confidence of 95%, which proves nothing:\n"
        "\n"
        "> Round half to even.\n"
        "\n"
        "| check | result | took | output |\n|---|---|---|---|\n| unit | ✅ passed | 2.0 s | `sha256:0` |\n"
        "\n"
        f"1 gate passed: secrets. {NO_VERIFIER}\n"
        "\n"
        "No check covers: which changed lines the tests run is not measured: no command; "
        "whether the tests would notice a fault is not tried. Do not apply: workflows.\n"
        "\n"
        "Look first at `src/money/rounding.py` (+1 −1)."
    )


def test_a_risky_change_gets_what_proves_it_what_does_not_and_where_to_look() -> None:
    page = render_page(large())
    headings = ["What changed and why", "What proves it", "What no check covers", "What to look at first"]
    assert re.findall(r"^### (.*)$", page, re.MULTILINE) == headings
    assert page.startswith("**Risk: high** (check `unit` failed; gate `surface` has 1 finding to be seen; ")
    assert "> Fetches rates.\\\n> The file was stale." in page
    assert "| `rates/` | 2 | +512 | −40 |" in page
    result = "❌ failed, 7 tests, flaky: 1 of 2 runs passed, fails otherwise on the base"
    assert f"| unit in py39 | {result} | 2.0 s | `sha256:0` |" in page
    assert "| coverage | ✅ passed | 91 % of 212 lines |" in page
    assert "Verifiers ✅ passed: quality by `claude` (opus): pass." in page
    holes = page.partition("### What no check covers")[2]
    for hole in (
        "- line 40 is run by no test (`rates/fetch.py:40`)",
        "- no test fails when `a < b` becomes `a <= b` (`m/split.py:9`)",
        "- no test reaches `rates/data.py` through imports",
        "- the language of `tools/x.rb` is not read",
        "- licences does not apply: no licence was changed",
    ):
        assert hole in holes
    looks = re.findall(r"^\d\. (.*)$", page, re.MULTILINE)
    assert looks == [
        "check `unit` (it failed)",
        "`rates/fetch.py` (line 14: new subprocess: `subprocess.run`; next to `auth/token.py`; "
        "line 40: line 40 is run by no test)",
        "`m/split.py` (23 files import it; line 9: no test fails when `a < b` becomes `a <= b`)",
        "`rates/data.py` (no test reaches it; +300 −40)",
    ]


def test_without_an_account_gates_or_checks_the_page_says_so() -> None:
    page = render_page(PageFacts(Proof()))
    for words in ("no account", "No check ran", "No gate spoke", NO_VERIFIER):
        assert words in page


@pytest.mark.parametrize(
    ("proof", "files", "level", "fact"),
    [
        (Proof(checks=(a_check(),)), [FileFacts("a.py", added=2)], "low", "2 lines in 1 file"),
        (Proof(checks=(a_check(),)), [FileFacts("a.py", added=50)], "medium", "50 changed lines"),
        (Proof(checks=(a_check(),)), [FileFacts("a.py", added=400)], "high", "400 changed lines"),
        (Proof(checks=(a_check(),)), [FileFacts(f"{n}") for n in range(5)], "medium", "5 changed files"),
        (Proof(checks=(a_check(),)), [FileFacts("a.py", importers=5)], "medium", "imported by 5 files"),
        (Proof(checks=(a_check(),)), [FileFacts("a.py", importers=20)], "high", "imported by 20 files"),
        (Proof(checks=(a_check(),)), [FileFacts("a.py", tests=0)], "medium", "no test reaches"),
        (Proof(checks=(a_check(),)), [FileFacts("a.py", near="auth/b.py")], "high", "`escalate_paths`"),
        (Proof(checks=(a_failed_check(),)), [], "high", "check `unit` failed"),
        (Proof(), [], "medium", "no check ran"),
        (Proof(gates=(GateResult.of("surface", [note("new")], "1"),)), [], "high", "gate `surface`"),
        (Proof(gates=(GateResult.of("any", [note("n", asks="person")], "1"),)), [], "high", "gate `any` failed"),
        (Proof(gates=(GateResult.of("mutation", [note("n")], "1"),)), [], "medium", "1 mutant"),
        (Proof(gates=(GateResult.of("coverage", [note("n")] * 20, "1"),)), [], "high", "20 findings"),
        (Proof(gates=(GateResult.of("weakening", [note("n")], "1"),)), [], "medium", "existing tests"),
    ],
)
def test_the_risk_is_told_by_facts(proof: Proof, files: list[FileFacts], level: str, fact: str) -> None:
    risk = judge_risk(files, proof)
    assert risk.level == level
    assert any(fact in told for told in risk.facts)


def test_an_agent_that_is_unsure_makes_a_change_riskier() -> None:
    assert judge_risk(SMALL.files, SMALL.proof, 0.69).level == "medium"
    assert judge_risk(SMALL.files, SMALL.proof, 0.7).level == "low"


def test_words_that_go_on_after_code_are_not_escaped_without_need() -> None:
    gate = GateResult.of("verifiers", [note("quality reviewer (`a`), low: `x`")], "quality pass")
    assert "- quality reviewer (`a`), low: `x`" in render_page(PageFacts(Proof(checks=(a_check(),), gates=(gate,))))


def test_a_verifier_that_does_not_apply_tells_why() -> None:
    gate = GateResult.skipped("verifiers", "no verifier is configured: the deterministic gates stand alone")
    page = render_page(PageFacts(Proof(checks=(a_check(),), gates=(gate,))))
    assert NO_VERIFIER in page
    assert page.count("stand alone") == 1


def test_a_page_that_is_too_long_is_cut_where_a_part_ends_and_says_where_the_whole_is() -> None:
    findings = [note(f"line {n} is run by no test `{'x' * 300}`", f"{'d' * 150}/{n}.py", n) for n in range(500)]
    files = tuple(FileFacts(f"{n}/{'d' * 190}.py", added=9, tests=0) for n in range(500))
    checks = tuple(a_check(name=f"{n} {'c' * 300}") for n in range(100))
    facts = PageFacts(Proof(checks=checks, gates=(GateResult.of("coverage", findings, "1"),)), files)
    page = render_page(facts, whole=ArtifactRef("sha256:all"), most=6_000)
    assert len(page) <= 6_000
    assert page.endswith("This page is cut; the whole is kept as an artifact: `sha256:all`.")
    assert len(render_page(facts, most=10**6)) > 6_000


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "<!-- /switchyard:evidence -->", "\n<!-- switchyard:task=x run=x head=x -->\n", "# Approved", "```\nx",
            "~~~", "- [x] done",
            "<details>", "<script>", "--><b>", "| a | b |", "\\|", "`|`", "`` ` ``", "\\`|", "@ada", "Fixes #1", "GH-1",
            "[x](http://e)", "![x](http://e)", "http://e.org", "www.e.org", "\r\n# x", "\u2028# x", "&lt;b&gt;",
            "\udcff", "$x$", "\u202egpj", "\u2067x", "$$", "1. x", "> x", "===",
            "`", "``", "\\", "*x*", "_x_", "__0__", "<http://e>", "a@e.org",
        ]
    ),
)  # fmt: skip
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def inside(tokens: list[Token]) -> list[Token]:
    return [one for token in tokens for one in (token, *(token.children or ()))]


@settings(max_examples=150, deadline=None)
@given(parts=st.lists(HOSTILE, min_size=10, max_size=10), high=st.booleans())
def test_no_foreign_text_becomes_markup_or_the_factorys_own_words(parts: list[str], high: bool) -> None:
    path, summary, rationale, name, where_, title, where, reason, gate, agent = parts
    facts = PageFacts(
        proof=Proof(
            checks=(
                a_check(name=name, passed=not high),
                a_check(name="second", environment=where_, is_flaky=True, runs=(True, False)),
            ),
            gates=(
                GateResult.of(f"g{gate}", [note(title, where, 3)], reason),
                GateResult.of("coverage", [note(title, where)], reason),
                GateResult.skipped("s", f"r{reason}"),
                GateResult.of("verifiers", [note(title)], reason),
            ),
        ),
        files=(FileFacts(path, added=3, tests=0, near=where), FileFacts(f"{where}/x", is_read=False, importers=9)),
        account=Account(summary, rationale, 0.5, agent),
    )
    page = render_page(facts)
    page.encode()
    assert not re.search(r"^<!--", page, re.MULTILINE)
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page)
    tokens = inside(PARSER.parse(page))
    ours = {"What changed and why", "What proves it", "What no check covers", "What to look at first"}
    assert all(tokens[at + 1].content in ours for at, token in enumerate(tokens) if token.type == "heading_open")
    forbidden = {"html_block", "html_inline", "link_open", "image", "fence", "code_block", "s_open", "em_open", "hr"}
    assert not {token.type for token in tokens} & forbidden
    cells = [sum(one.type in ("td_open", "th_open") for one in row) for row in rows(tokens)]
    assert set(cells) <= {3, 4}
    texts = "\n".join(token.content for token in tokens if token.type == "text")
    assert not re.search(r"@\w|#\d|://|\bwww\.|\bGH-\d", texts, re.IGNORECASE)
    # GitHub typesets what stands between dollars; a backslash keeps it from doing so.
    plain = re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", page)
    assert not re.search(r"(?<!\\)\$", plain)


def rows(tokens: list[Token]) -> list[list[Token]]:
    found: list[list[Token]] = []
    for token in tokens:
        if token.type == "tr_open":
            found.append([])
        elif found:
            found[-1].append(token)
    return found


def test_what_has_no_place_and_asks_for_nothing_is_nowhere_to_look_at() -> None:
    passed = GateResult.of("verifiers", [note("quality reviewer passes it")], "quality pass")
    looks = look_first(SMALL.files, Proof(gates=(passed,)), most=5)
    assert len(looks) == 1 and looks[0].startswith("`src/money/rounding.py`")
