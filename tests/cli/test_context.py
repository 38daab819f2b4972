"""`switchyard context` from the outside: stdout, stderr, exit codes, and the JSON that scripts rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from switchyard.config import Config

from .conftest import Shell, git

GOLDEN = Path(__file__).with_name("golden")
FILES = {
    "pyproject.toml": "[project]\nname = 'shop'\n",
    "shop/__init__.py": "",
    "shop/cart.py": "from shop.money import add\nfrom shop import lost\nfrom shop.gone import x\n\n\n"
    "def total():\n    return add()\n",
    "shop/money.py": "def add():\n    return 1\n",
    "tests/test_cart.py": "from shop.cart import total\n\n\ndef test_total():\n    assert total()\n",
}


@pytest.fixture
def shop(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_DATE", "@1700000000 +0000")
    shell.commit(FILES)
    return shell


def test_the_json_of_a_selection_is_as_agreed(shop: Shell) -> None:
    ending = shop.run("context", "--seed", "shop/cart.py", "--at", "HEAD", "--json")
    assert ending.code == 0
    assert ending.document == json.loads((GOLDEN / "context.json").read_text())


def test_the_json_of_the_graph_is_as_agreed(shop: Shell) -> None:
    ending = shop.run("context", "graph", "--at", "HEAD", "--json")
    assert ending.document == json.loads((GOLDEN / "context_graph.json").read_text())


def test_paths_are_the_default_and_counts_go_to_stderr(shop: Shell) -> None:
    ending = shop.run("context", "--seed", "shop/cart.py")
    assert ending.out.splitlines() == [
        "shop/cart.py",
        "shop/money.py",
        "shop/__init__.py",
        "tests/test_cart.py",
        "pyproject.toml",
    ]
    assert "5 files, at most" in ending.err
    assert shop.run("context", "--seed", "shop/cart.py", "--quiet").err == ""


def test_reasons_are_said_when_asked_for(shop: Shell) -> None:
    out = shop.run("context", "--text", "wrong total of the cart", "--explain").out
    assert "shop/cart.py  target, " in out
    assert "    matches the text, rank 1" in out
    assert "unresolved: shop/cart.py:3: shop.gone" in out


def test_markdown_holds_the_code(shop: Shell) -> None:
    out = shop.run("context", "--seed", "shop/cart.py", "--format", "markdown").out
    assert out.startswith("## shop/cart.py (target)\n\n- given as a seed\n\n```python\nfrom shop.money import add\n")


def test_a_task_brings_its_targets_and_text(shop: Shell) -> None:
    shop.run(
        "task", "add", "sums", "--title", "Add up", "--target", "shop/money.py", "--context-file", "pyproject.toml"
    )
    listed = shop.run("context", "--task", "sums").out.splitlines()
    assert listed[:2] == ["shop/money.py", "pyproject.toml"]


def test_text_comes_from_a_file_or_stdin(shop: Shell) -> None:
    shop.write("issue.txt", "the cart")
    assert shop.run("context", "--text-file", "issue.txt", "--top", "1").out == "shop/cart.py\n"


def test_roles_top_and_budget_are_passed_on(shop: Shell) -> None:
    assert shop.run("context", "--seed", "shop/cart.py", "--role", "test").out == "tests/test_cart.py\n"
    assert shop.run("context", "--seed", "shop/cart.py", "--top", "2").out == "shop/cart.py\nshop/money.py\n"
    assert shop.run("context", "--seed", "shop/cart.py", "--budget", "50", "--json").document["tokens"] <= 50


def test_the_graph_answers_why_tests_and_impact(shop: Shell) -> None:
    why = shop.run("context", "why", "tests/test_cart.py", "shop/money.py")
    assert why.out.splitlines() == [
        "tests/test_cart.py:1 imports shop/cart.py (import)",
        "shop/cart.py:1 imports shop/money.py (import)",
    ]
    none = shop.run("context", "why", "shop/money.py", "shop/cart.py", "--json")
    assert (none.code, none.document["chain"]) == (1, None)
    assert shop.run("context", "tests", "shop/money.py").out == "tests/test_cart.py\n"
    impact = shop.run("context", "impact", "shop/money.py", "--json").document
    assert impact["schema"] == "switchyard.impact/1"
    assert impact["files"] == [{"path": "shop/cart.py", "hops": 1}, {"path": "tests/test_cart.py", "hops": 2}]


def test_the_graph_is_drawn_for_graphviz(shop: Shell) -> None:
    out = shop.run("context", "graph", "--dot").out
    assert out.startswith("digraph imports {\n")
    assert '  "shop/cart.py" -> "shop/money.py";\n' in out


def test_a_bare_repository_is_read(shop: Shell, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(shop.folder), "bare.git")
    ending = shop.run("context", "--repo", tmp_path / "bare.git", "--seed", "shop/money.py", "--top", "1")
    assert (ending.code, ending.out) == (0, "shop/money.py\n")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ((), "usage"),
        (("--text", " "), "usage"),
        (("--text", "a", "--text-file", "b"), "usage"),
        (("--text-file", "missing.txt"), "usage"),
        (("--seed", "shop/crat.py"), "unknown_path"),
        (("--seed", "shop/cart.py:nope"), "unknown_symbol"),
        (("--text", "a", "--role", "boss"), "unknown_role"),
        (("--text", "a", "--at", "nowhere"), "unknown_revision"),
        (("--text", "a", "--budget", "0"), "invalid_limit"),
        (("--text", "a", "--top", "-1"), "invalid_limit"),
        (("--text", "a", "--format", "xml"), "usage"),
        (("why", "shop/cart.py", "nope.py"), "unknown_path"),
        (("tests", "nope.py"), "unknown_path"),
        (("impact", "README.md"), "unknown_path"),
        (("--at", "HEAD", "graph"), "usage"),
    ],
)
def test_wrong_usage_exits_2_with_the_error_object(shop: Shell, arguments: tuple[str, ...], kind: str) -> None:
    ending = shop.run("context", *arguments, "--json")
    assert (ending.code, ending.document["error"]["kind"]) == (2, kind)
    assert ending.document["error"]["message"]


def test_a_folder_that_is_no_repository_exits_2(nowhere: Shell) -> None:
    ending = nowhere.run("context", "--text", "a", "--json")
    assert (ending.code, ending.document["error"]["kind"]) == (2, "not_a_repository")


def test_patterns_of_the_flag_and_of_the_configuration_narrow_what_is_looked_at(shop: Shell) -> None:
    def files(*options: str) -> object:
        return shop.run("context", "graph", "--json", *options).document["files"]

    assert files("--include", "shop", "--exclude", "shop/__init__.py") == ["shop/cart.py", "shop/money.py"]
    shop.commit({"switchyard.toml": '[context]\nexclude = ["tests", "__init__.py"]\n'})
    assert files() == ["shop/cart.py", "shop/money.py"]
    assert files("--exclude", "shop") == ["tests/test_cart.py"]


def test_files_that_can_not_be_read_are_counted_and_listed_when_asked_for(shop: Shell) -> None:
    shop.commit({"shop/odd.py": "\0" * 100})
    assert "little or nothing is known: 1 (--verbose lists them)" in shop.run("context", "graph").err
    assert "shop/odd.py: binary; not parsed" in shop.run("context", "why", "shop/cart.py", "shop/money.py", "-v").err


def test_a_damaged_cache_is_told_and_costs_no_result(shop: Shell) -> None:
    before = shop.run("context", "--text", "wrong total of the cart")
    for file in (shop.folder / ".git/switchyard/cache/trees").iterdir():
        file.write_bytes(file.read_bytes()[:-9])
    after = shop.run("context", "--text", "wrong total of the cart")
    assert (after.code, after.out) == (0, before.out)
    assert "can't be used and is built anew: cut" in after.err
    assert "warning" not in shop.run("context", "--text", "wrong total of the cart").err


def test_a_repository_without_configuration_has_the_default_budget(shop: Shell) -> None:
    assert shop.run("context", "--seed", "shop/cart.py", "--json").document["budget"] == Config().context.budget_tokens
    shop.commit({"switchyard.toml": "[context]\nbudget_tokens = 300\n"})
    assert shop.run("context", "--seed", "shop/cart.py", "--json").document["budget"] == 300
    git(shop.folder, "clone", "--quiet", "--bare", ".", "../bare.git")
    bare = str(shop.folder.parent / "bare.git")
    assert shop.run("context", "--seed", "shop/cart.py", "--json", "--repo", bare).document["budget"] == 300
