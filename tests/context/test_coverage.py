"""Which tests speak for a file: by name, imports, content and history."""

from __future__ import annotations

import pytest
from switchyard_context.coverage import rank_tests

from .conftest import Project


def ranked(project: Project, *targets: str) -> list[str]:
    return [item.path for item in rank_tests(project.codebase(), targets)]


def test_a_test_that_imports_little_else_comes_before_one_that_imports_all(project: Project) -> None:
    modules = {f"shop/m{number}.py": f"def f{number}(): ...\n" for number in range(8)}
    project.commit(
        {
            **modules,
            "tests/test_all.py": "".join(f"import shop.m{number}\n" for number in range(8)),
            "tests/test_small.py": "import shop.m3\n",
        }
    )
    assert ranked(project, "shop/m3.py") == ["tests/test_small.py", "tests/test_all.py"]


def test_a_test_that_was_changed_together_with_the_target_comes_first(project: Project) -> None:
    body = "def test_it():\n    assert True\n"
    project.commit({"shop/cart.py": "def add(): ...\n"})
    project.commit({"tests/test_one.py": body, "tests/test_two.py": body})
    project.commit({"shop/cart.py": "def add(): return 1\n", "tests/test_two.py": body + "\n"})
    assert ranked(project, "shop/cart.py") == ["tests/test_two.py"]


def test_a_test_that_mentions_what_the_target_defines_is_found_without_an_import(project: Project) -> None:
    project.commit({"shop/cart.py": "def apply_coupon_code(): ...\n"})
    project.commit(
        {"tests/test_a.py": "def test_it(app):\n    app.apply_coupon_code()\n", "tests/test_b.py": "x = 1\n"}
    )
    found = rank_tests(project.codebase(), ["shop/cart.py"])
    assert [item.path for item in found] == ["tests/test_a.py"]
    assert "mentions what it defines" in found[0].reasons


def test_fixtures_among_the_tests_count_and_sources_that_tests_import_do_not(project: Project) -> None:
    project.commit(
        {
            "shop/cart.py": "def add(): ...\n",
            "shop/web.py": "import shop.cart\n",
            "tests/__init__.py": "",
            "tests/cart_samples.py": "import shop.cart\n",
            "tests/test_web.py": "import shop.web\nfrom tests.cart_samples import x\n",
        }
    )
    found = ranked(project, "shop/cart.py")
    assert {"tests/cart_samples.py", "tests/test_web.py"} <= set(found)
    assert "shop/web.py" not in found


@pytest.mark.parametrize(
    ("target", "test", "other"),
    [
        ("shop/cart.py", "tests/shop/test_cart.py", "tests/shop/test_money.py"),
        ("src/cart.ts", "src/__tests__/cart.test.ts", "src/__tests__/money.test.ts"),
        ("shop/cart.go", "shop/cart_test.go", "shop/money_test.go"),
        ("src/cart.rs", "tests/cart.rs", "tests/money.rs"),
        ("src/main/java/shop/Cart.java", "src/test/java/shop/CartTest.java", "src/test/java/shop/MoneyTest.java"),
    ],
)
def test_a_name_alone_leads_to_the_test_in_every_language(project: Project, target: str, test: str, other: str) -> None:
    project.commit({target: "", "Cargo.toml": "[package]\nname = 'shop'\n"})
    project.commit({other: "", test: ""})
    assert ranked(project, target)[0] == test


def test_nothing_is_made_up_where_nothing_speaks(project: Project) -> None:
    project.commit({"shop/cart.py": "def add(): ...\n"})
    project.commit({"tests/test_b.py": "x = 1\n"})
    assert ranked(project, "shop/cart.py") == []
    assert ranked(project) == []
