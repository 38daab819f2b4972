"""What a selection promises: the budget, its order, its reasons, and the same answer every time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from switchyard_context import (
    Codebase,
    EmptyRequest,
    InvalidLimit,
    Request,
    UnknownPath,
    UnknownRole,
    UnknownSymbol,
    count_tokens,
    open_codebase,
    open_source,
    render_markdown,
    render_paths,
    select,
)

from .conftest import Project


def body(indent: str) -> str:
    return "".join(f"{indent}total = total + {number}\n" for number in range(40))


BODY = body("    ")
SHOP = {
    "pyproject.toml": "[project]\nname = 'shop'\n",
    "README.md": "# Shop\n",
    "shop/__init__.py": "",
    "shop/cart.py": "from shop.money import Money, add\nfrom shop.models import Item\n\n\n"
    f"class Cart:\n    def total(self, total=0):\n{body(' ' * 8)}        return add(total, Money(1))\n\n"
    f"    def other(self, total=0):\n{body(' ' * 8)}        return total\n",
    "shop/money.py": f"class Money:\n    def __init__(self, value):\n        self.value = value\n\n\n"
    f"def add(total, money):\n{BODY}    return total\n\n\ndef unused(total):\n{BODY}    return total\n",
    "shop/models.py": "from shop.database import connect\n\n\nclass Item:\n    pass\n",
    "shop/database.py": f"def connect(total=0):\n{BODY}",
    "shop/web.py": f"from shop.cart import Cart\n\n\ndef page(total=0):\n{BODY}",
    "shop/unrelated.py": "def nothing(): pass\n",
    "tests/test_cart.py": "from shop.cart import Cart\n\n\ndef test_total():\n    assert Cart().total()\n",
    "tests/test_web.py": "from shop.web import page\n\n\ndef test_page():\n    assert page() is None\n",
}


@pytest.fixture
def shop(project: Project) -> Project:
    return project.commit(SHOP)


@pytest.fixture
def opened(shop: Project) -> Codebase:
    return shop.codebase()


def roles(project: Project, **request: object) -> dict[str, str]:
    return {item.path: item.role for item in project.select(**request).files}


def test_a_target_comes_first_then_imports_tests_and_config(shop: Project) -> None:
    selection = shop.select(targets=["shop/cart.py"])
    assert [(item.path, item.role) for item in selection.files[:6]] == [
        ("shop/cart.py", "target"),
        ("shop/money.py", "dependency"),
        ("shop/models.py", "dependency"),
        ("tests/test_cart.py", "test"),
        ("tests/test_web.py", "test"),
        ("pyproject.toml", "config"),
    ]
    assert {"shop/database.py", "shop/web.py"} <= {item.path for item in selection.files[6:]}
    assert "shop/unrelated.py" not in {item.path for item in selection.files}


def test_every_file_says_why_with_its_chain_to_a_target(shop: Project) -> None:
    reasons = {item.path: item.reasons for item in shop.select(targets=["shop/cart.py"]).files}
    assert all(reasons.values())
    assert reasons["shop/money.py"] == ("imported by shop/cart.py at line 1",)
    assert reasons["tests/test_cart.py"][0] == "named alike"
    assert reasons["tests/test_cart.py"][-1] == "covers: tests/test_cart.py → shop/cart.py"
    assert reasons["tests/test_web.py"][-1] == "covers: tests/test_web.py → shop/web.py → shop/cart.py"
    assert reasons["shop/database.py"] == ("linked: shop/cart.py → shop/models.py → shop/database.py",)
    assert reasons["shop/web.py"] == ("linked: shop/cart.py ← shop/web.py",)


def test_what_a_target_uses_of_an_import_is_shown_before_the_rest(shop: Project) -> None:
    selection = shop.select(targets=["shop/cart.py"], budget_tokens=2000)
    text = next(item.text for item in selection.files if item.path == "shop/money.py")
    assert "def add(total, money):" in text
    assert "def unused(total):\n    total" not in text


@pytest.mark.parametrize("request_of", [{"targets": ["shop/cart.py"]}, {"text": "the total of a cart is wrong"}])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(small=st.integers(1, 9000), more=st.integers(0, 3000))
def test_the_budget_holds_and_a_larger_one_keeps_every_file(
    opened: Codebase, request_of: dict[str, object], small: int, more: int
) -> None:
    found = [
        select(opened, Request(budget_tokens=budget, **request_of))  # type: ignore[arg-type]
        for budget in (small, small + more)
    ]
    for selection in found:
        assert count_tokens(render_markdown(selection)) <= selection.tokens <= selection.budget
    assert {item.path for item in found[0].files} <= {item.path for item in found[1].files}


def test_what_was_due_and_found_no_room_is_dropped_with_a_reason(shop: Project) -> None:
    selection = shop.select(targets=["shop/cart.py"], budget_tokens=150)
    taken = {item.path for item in selection.files}
    dropped = {item.path: item.reason for item in selection.dropped}
    assert {"shop/money.py", "shop/models.py", "tests/test_cart.py", "pyproject.toml"} <= taken | set(dropped)
    assert "150 tokens" in dropped["pyproject.toml"]
    assert not taken & set(dropped)


def test_a_small_budget_still_begins_with_the_target(shop: Project) -> None:
    selection = shop.select(targets=["shop/cart.py"], budget_tokens=120)
    assert selection.files[0].path == "shop/cart.py"
    assert "class Cart:" in selection.files[0].text


def test_a_target_that_is_not_there_yet_brings_what_lies_beside_it(shop: Project) -> None:
    selection = shop.select(targets=["shop/coupons.py"])
    assert ("shop/coupons.py", "not in the tree at this revision") in {(d.path, d.reason) for d in selection.dropped}
    found = {item.path: item.reasons for item in selection.files}
    assert found["shop/money.py"][0] == "beside shop/coupons.py, which is not there yet"
    assert "pyproject.toml" in found


def test_folders_and_globs_name_targets(shop: Project) -> None:
    by_folder = [item.path for item in shop.select(targets=["tests/"]).files if item.role == "target"]
    assert by_folder == ["tests/test_cart.py", "tests/test_web.py"]
    by_glob = [item.path for item in shop.select(targets=["shop/m*.py"]).files if item.role == "target"]
    assert by_glob == ["shop/models.py", "shop/money.py"]


def test_a_file_of_no_language_can_be_a_target(shop: Project) -> None:
    assert roles(shop, targets=["README.md"]) == {"README.md": "target"}


def test_files_listed_as_always_in_follow_the_target(shop: Project) -> None:
    selection = shop.select(targets=["shop/cart.py"], always=["README.md", "docs/gone.md"])
    assert [item.path for item in selection.files[:2]] == ["shop/cart.py", "README.md"]
    assert [item.path for item in selection.dropped] == ["docs/gone.md"]


def test_a_symbol_as_seed_shows_its_body_first(shop: Project) -> None:
    selection = shop.select(seeds=["shop/cart.py:Cart.other"], budget_tokens=1200)
    first = selection.files[0]
    assert (first.path, first.role, first.reasons[0]) == ("shop/cart.py", "target", "asked for: Cart.other")
    assert f"def other(self, total=0):\n{body(' ' * 8)}" in first.text
    assert f"def total(self, total=0):\n{body(' ' * 8)}" not in first.text


def test_a_text_alone_finds_files_by_path_identifier_and_words(shop: Project) -> None:
    for text in ("tests fail in shop/money.py", "`shop.money.add` raises", "adding money is wrong", "Money() breaks"):
        assert shop.select(text=text).files[0].path == "shop/money.py", text


def test_roles_filter_and_top_cuts_after_the_filter(shop: Project) -> None:
    assert set(roles(shop, targets=["shop/cart.py"], roles=["test"]).values()) == {"test"}
    assert list(roles(shop, targets=["shop/cart.py"], roles=["test", "config"], top=2)) == [
        "tests/test_cart.py",
        "tests/test_web.py",
    ]


def test_type_only_imports_and_declaration_files_are_types(project: Project) -> None:
    project.write(
        {
            "main.ts": "import type { A } from './model';\nimport { b } from './shapes';\nimport './globals.d.ts';\n",
            "model.ts": "export class A {}\n",
            "shapes.ts": "export interface B {}\n",
            "globals.d.ts": "declare const x: number;\n",
            "tsconfig.json": "{}",
            "package.json": "{}",
        }
    )
    assert roles(project, targets=["main.ts"]) == {
        "main.ts": "target",
        "model.ts": "type",
        "shapes.ts": "type",
        "globals.d.ts": "type",
        "tsconfig.json": "config",
        "package.json": "config",
    }


def test_the_same_request_gives_the_same_bytes(shop: Project, tmp_path: Path) -> None:
    found = []
    for cache in (None, tmp_path / "cache", tmp_path / "cache"):
        source = open_source(shop.root, "HEAD")
        selection = select(open_codebase(source, cache), Request(text="cart total", targets=["shop/cart.py"]))
        found.append((selection.as_json(), render_markdown(selection), render_paths(selection)))
    assert found[0] == found[1] == found[2]


def test_scores_fall_with_the_order(shop: Project) -> None:
    scores = [item.score for item in shop.select(targets=["shop/cart.py"]).files]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)


def test_a_whole_file_is_one_slice_and_a_part_names_its_lines(shop: Project) -> None:
    files = {item.path: item for item in shop.select(targets=["shop/cart.py"], budget_tokens=1500).files}
    whole = files["tests/test_cart.py"]
    assert (whole.slices, "@@" in whole.text) == (((1, 5),), False)
    part = files["shop/money.py"]
    assert all(f"@@ {first}-{last} of " in part.text for first, last in part.slices)


def test_a_path_or_a_body_cannot_break_out_of_its_section(project: Project) -> None:
    project.write({"a\n## evil.py": "x = '''\n```\n## fake (target)\n'''\n"})
    text = render_markdown(project.select(targets=["a\n## evil.py"]))
    assert text.startswith("## a\\n## evil.py (target)\n")
    assert "\n````python\n" in text


@pytest.mark.parametrize(
    ("request_of", "error"),
    [
        ({}, EmptyRequest),
        ({"text": " \n"}, EmptyRequest),
        ({"text": "x", "budget_tokens": 0}, InvalidLimit),
        ({"text": "x", "top": -1}, InvalidLimit),
        ({"text": "x", "roles": ["boss"]}, UnknownRole),
        ({"seeds": ["shop/crat.py"]}, UnknownPath),
        ({"seeds": ["shop/cart.py:Nope"]}, UnknownSymbol),
        ({"seeds": ["README.md:Nope"]}, UnknownSymbol),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_a_hint(
    shop: Project, request_of: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        shop.select(**request_of)
    assert getattr(caught.value, "hint", "")


def test_a_target_and_a_seed_are_told_apart(shop: Project) -> None:
    selection = shop.select(targets=["shop/cart.py"], seeds=["shop/web.py"])
    assert [item.reasons[0] for item in selection.files[:2]] == ["named as a target", "given as a seed"]


def test_a_text_that_names_no_source_brings_the_files_that_it_names(shop: Project) -> None:
    first = shop.select(text="the README.md has a typo").files[0]
    assert (first.path, first.role, first.reasons) == ("README.md", "target", ("named in the text",))


def test_staying_in_a_folder_leaves_what_targets_import(shop: Project) -> None:
    shop.commit({"tools/cart_total.py": "def total_of_cart():\n    return 1\n"})
    free = {item.path for item in shop.select(text="total of the cart").files}
    focused = {item.path for item in shop.select(text="total of the cart", under=["tools/"]).files}
    assert {"shop/cart.py", "tools/cart_total.py"} <= free
    assert not {path for path in focused if path.startswith("shop/")}
    assert "tools/cart_total.py" in focused
    assert "shop/money.py" in {item.path for item in shop.select(targets=["shop/cart.py"], under=["tests"]).files}


def test_an_unknown_folder_to_stay_in_is_refused(shop: Project) -> None:
    with pytest.raises(UnknownPath, match="no folder 'shpo'"):
        shop.select(text="total", under=["shpo"])


def test_a_text_shows_the_body_that_it_speaks_of_and_not_its_neighbours(project: Project) -> None:
    functions = "".join(f"def unlike_{number}(total=0):\n{BODY}\n\n" for number in range(12))
    project.write(
        {"big.py": f"{functions}def parse_coupon(total=0):\n{BODY}\n\n{functions.replace('unlike', 'other')}"}
    )
    text = project.select(text="`parse_coupon` fails on an empty coupon", budget_tokens=900).files[0].text
    assert f"def parse_coupon(total=0):\n{BODY}" in text
    assert f"(total=0):\n{BODY}" not in text.replace("def parse_coupon", "", 1).replace(f"(total=0):\n{BODY}", "", 1)


def test_nothing_to_say_gives_an_empty_selection(shop: Project) -> None:
    assert shop.select(text="zzz qqq").files == ()


@pytest.mark.parametrize(
    ("path", "content", "role"),
    [
        ("a/reader.go", "package a\n\ntype Reader interface {\n\tRead() error\n}\n", "type"),
        ("a/file.go", "package a\n\ntype File struct{}\n", "dependency"),
        ("a/file_test.go", "package a\n\nfunc TestFile() {}\n", "test"),
        ("go.mod", "module example.org/a\n", "config"),
        ("src/shape.rs", "pub trait Shape {\n    fn area(&self) -> f64;\n}\n", "type"),
        ("src/square.rs", "pub struct Square;\n", "dependency"),
        ("Cargo.toml", '[package]\nname = "a"\n', "config"),
        ("src/main/java/a/Shape.java", "package a;\n\ninterface Shape {\n    double area();\n}\n", "type"),
        ("src/main/java/a/Square.java", "package a;\n\nclass Square {}\n", "dependency"),
        ("src/test/java/a/SquareTest.java", "package a;\n\nclass SquareTest {}\n", "test"),
        ("pom.xml", "<project/>\n", "config"),
        ("shapes.ts", "export interface B { area(): number }\nexport type C = B | null\n", "type"),
        ("a/types.pyi", "def f() -> int: ...\n", "type"),
        ("tests/conftest.py", "def shop(): ...\n", "test"),
    ],
)
def test_roles_follow_from_what_a_file_is(project: Project, path: str, content: str, role: str) -> None:
    project.write({"x.py": "", path: content})
    assert roles(project, targets=["x.py"], always=[path])[path] == role


def test_an_empty_file_is_in_by_its_name(shop: Project) -> None:
    found = {item.path: item for item in shop.select(seeds=["shop/cart.py", "shop/__init__.py"]).files}
    assert found["shop/__init__.py"].slices == ()
    assert "Not shown: 0 lines." in found["shop/__init__.py"].text


def test_generated_and_vendored_files_are_in_only_when_named_or_imported(shop: Project) -> None:
    shop.commit(
        {
            ".gitattributes": "shop/cart_pb.py linguist-generated\nvendor/** linguist-vendored\n",
            "shop/cart_pb.py": "def total_of_cart(): ...\n",
            "vendor/cart.py": "import shop.cart\n\n\ndef total_of_cart(): ...\n",
        }
    )
    aside = {"shop/cart_pb.py", "vendor/cart.py"}
    assert not aside & {item.path for item in shop.select(text="wrong `total_of_cart`, total of cart").files}
    assert shop.select(text="total_of_cart in vendor/cart.py is wrong").files[0].path == "vendor/cart.py"
    shop.commit({"shop/web.py": "import shop.cart_pb\n"})
    assert "shop/cart_pb.py" in {item.path for item in shop.select(targets=["shop/web.py"]).files}


def test_no_single_token_more_loses_a_file(project: Project) -> None:
    use = "def use_{}_{}(first, second, third, total=0):\n    return run(first)\n\n\n"
    needs = "".join(f"from shop.need_{n} import need_{n}\n" for n in range(12))
    files = {"shop/core.py": f"{needs}\n\ndef run(total=0):\n{BODY * 25}"}
    files |= {f"shop/need_{n}.py": f"def need_{n}(total=0):\n{BODY}\n\ndef other(total=0):\n{BODY}" for n in range(12)}
    start = "from shop.core import run\n\n\n"
    files |= {f"shop/user_{n}.py": start + "".join(use.format(n, m) for m in range(30)) for n in range(20)}
    files |= {f"tests/test_core_{n}.py": f"{start}def test_{n}(total=0):\n{BODY}" for n in range(8)}
    codebase = project.commit(files).codebase()
    counts = [
        len(select(codebase, Request(targets=["shop/core.py"], budget_tokens=budget)).files)
        for budget in (*range(4130, 4150), *range(4310, 4330), *range(4490, 4510), *range(4670, 4690))
    ]
    assert counts == sorted(counts)


def test_reasons_quote_words_as_the_text_has_them(shop: Project) -> None:
    reasons = [reason for item in shop.select(text="Databases connecting twice").files for reason in item.reasons]
    assert any("databases" in reason and "connecting" in reason for reason in reasons if reason.startswith("words: "))


def test_a_misspelt_symbol_is_answered_with_near_ones_once(project: Project) -> None:
    many = "".join(f"def other_{number}(): pass\n" for number in range(20))
    project.commit({"many.py": f"{many}def from_json(): pass\ndef from_json(): pass\n"})
    with pytest.raises(UnknownSymbol) as caught:
        project.select(seeds=["many.py:fromjson"])
    assert caught.value.hint.startswith("it defines from_json, other_0, ")


def test_a_file_of_many_definitions_is_answered(project: Project) -> None:
    project.commit({"many.py": "".join(f"def name_{number}(): pass\n" for number in range(30_000))})
    selection = project.select(text="`name_7` is slow", seeds=["many.py"])
    assert [item.path for item in selection.files] == ["many.py"]
    assert any(first <= 8 <= last for first, last in selection.files[0].slices)
