"""Ordinary changes, which must pass."""

# Passages of code are looked for as they stand.
# ruff: noqa: E501

from __future__ import annotations

from catalogue.bad import CART, GO, JAVA, PY, RUST, WEB
from catalogue.changes import Case, append, edit, move, write

GOOD = (
    Case(
        "py-function-with-its-test",
        (
            append(CART, "\n\ndef count(prices):\n    return len(prices)\n"),
            edit(PY, "import is_free_of_shipping, total", "import count, is_free_of_shipping, total"),
            append(PY, "\n    def test_a_count(self):\n        self.assertEqual(count([1, 2]), 2)\n"),
        ),
    ),
    Case("py-test-renamed", (edit(PY, "test_a_total_is_the_sum", "test_the_total_is_the_sum_of_all"),)),
    Case(
        "py-tests-in-another-order",
        (
            edit(
                PY, "    def test_a_total_is_the_sum(self):\n        self.assertEqual(total([100, 250]), 350)\n\n", ""
            ),
            append(PY, "\n    def test_a_total_is_the_sum(self):\n        self.assertEqual(total([100, 250]), 350)\n"),
        ),
    ),
    Case(
        "py-assertion-sharpened",
        (edit(PY, "self.assertTrue(is_free_of_shipping([5000]))", "self.assertIs(is_free_of_shipping([5000]), True)"),),
    ),
    Case(
        "py-behaviour-changed-as-allowed",
        (edit(CART, ">= 5000", ">= 4000"), edit(PY, "([5000])", "([4000])"), edit(PY, "([4999])", "([3999])")),
        allow=("tests",),
    ),
    Case("py-test-moved-with-its-subject", (move(PY, "py/tests/test_basket.py"),)),
    Case(
        "py-refactored",
        (edit(CART, "    return total(prices) >= 5000", "    enough = 5000\n    return total(prices) >= enough"),),
    ),
    Case("py-dependency-raised", (edit("py/pyproject.toml", "requests>=2.31", "requests>=2.32"),)),
    Case(
        "py-new-dependency-as-allowed",
        (edit("py/pyproject.toml", '"requests>=2.31"', '"requests>=2.31", "attrs>=24"'),),
        allow=("dependencies",),
    ),
    Case(
        "web-function-with-its-test",
        (
            append("web/src/price.js", "\nexport const isFree = (cents) => cents === 0;\n"),
            edit(WEB, "import { cheapest, format }", "import { cheapest, format, isFree }"),
            edit(
                WEB,
                '  it("finds',
                '  it("knows what is free", () => {\n    assert.equal(isFree(0), true);\n    assert.equal(isFree(1), false);\n  });\n  it("finds',
            ),
        ),
    ),
    Case(
        "web-more-asserted",
        (
            edit(
                WEB,
                'assert.equal(format(1205), "12.05");',
                'assert.equal(format(1205), "12.05");\n    assert.equal(format(5), "0.05");',
            ),
        ),
    ),
    Case(
        "web-comment",
        (
            edit(
                "web/src/price.js",
                "export function cheapest",
                "// Of none there is no cheapest.\nexport function cheapest",
            ),
        ),
    ),
    Case("go-row-added", (edit(GO, "{0, 2, 0},", "{0, 2, 0}, {1, 1, 1},"),)),
    Case(
        "go-named-cases",
        (edit(GO, "got, err := Convert(c.cents, c.rate)", "c := c\n\t\tgot, err := Convert(c.cents, c.rate)"),),
    ),
    Case(
        "go-function",
        (
            append("svc/rate.go", "\n// Double is twice as much.\nfunc Double(cents int) int { return 2 * cents }\n"),
            append(GO, "\nfunc TestDouble(t *testing.T) {\n\tif Double(2) != 4 {\n\t\tt.Fatal(Double(2))\n\t}\n}\n"),
        ),
    ),
    Case("rust-test-added", (append(RUST, "\n#[test]\nfn none_sold() {\n    assert_eq!(left(4, 0), Some(4));\n}\n"),)),
    Case(
        "rust-function",
        (
            edit(
                "core/src/lib.rs",
                "#[cfg(test)]",
                "/// Whether there are any.\npub fn any(stock: u32) -> bool {\n    stock > 0\n}\n\n#[cfg(test)]",
            ),
            edit(
                "core/src/lib.rs",
                "    #[test]\n    fn more_than",
                "    #[test]\n    fn some_are_there() {\n        assert!(any(1));\n        assert!(!any(0));\n    }\n\n    #[test]\n    fn more_than",
            ),
        ),
    ),
    Case(
        "java-test-added",
        (
            edit(
                JAVA,
                "    @Test\n    void noTax",
                "    @Test\n    void halfIsTax() {\n        assertEquals(50, Tax.of(100, 100));\n    }\n\n    @Test\n    void noTax",
            ),
        ),
    ),
    Case(
        "java-documented",
        (edit("app/src/main/java/shop/Tax.java", "/** Value added tax. */", "/** Value added tax, in cents. */"),),
    ),
    Case(
        "java-renamed-variable",
        (
            edit(
                "app/src/main/java/shop/Tax.java",
                "return gross - gross * 100 / (100 + percent);",
                "int net = gross * 100 / (100 + percent);\n        return gross - net;",
            ),
        ),
    ),
    Case("docs", (append("docs/shop.md", "\nIt delivers them too. Its key is kept in a safe; a token is a coin.\n"),)),
    Case("example-of-a-key", (append("docs/shop.md", "\nSet `API_KEY=<your key>` before you start.\n"),)),
    Case("small-picture", (write("docs/dot.png", b"\x89PNG\r\n\x1a\n" + bytes(60)),)),
)
