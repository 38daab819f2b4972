"""The small monorepo that every change of the catalogue is made to: one package of each language, with its tests."""

from __future__ import annotations

GROUND: dict[str, bytes] = {}


def _lay(path: str, text: str) -> None:
    GROUND[path] = text.encode()


_lay("LICENSE", "MIT License\n\nCopyright (c) 2026 The shop\n\nPermission is hereby granted, free of charge.\n")
_lay("AGENTS.md", "Run the tests before you say that you are done.\n")
_lay("Makefile", "test:\n\tpython3 -m unittest discover -s py/tests -t py\n\tnode --test web/test\n")
_lay(
    ".github/workflows/ci.yml",
    "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make test\n",
)
_lay("docs/shop.md", "# The shop\n\nIt sells things.\n")
_lay(
    "py/shop/cart.py",
    '''"""What a customer is about to buy."""


def total(prices, discount=0):
    """The sum of the prices in cents, less the discount in percent."""
    if not 0 <= discount <= 100:
        raise ValueError(f"a discount of {discount} percent")
    return sum(prices) * (100 - discount) // 100


def is_free_of_shipping(prices):
    """Whether the sum is large enough."""
    return total(prices) >= 5000
''',
)
_lay("py/shop/__init__.py", "")
_lay("py/tests/__init__.py", "")
_lay(
    "py/tests/test_cart.py",
    """import unittest

from shop.cart import is_free_of_shipping, total


class CartTest(unittest.TestCase):
    def test_a_total_is_the_sum(self):
        self.assertEqual(total([100, 250]), 350)

    def test_a_discount_is_taken_off(self):
        self.assertEqual(total([200], discount=25), 150)

    def test_a_discount_above_all_is_refused(self):
        with self.assertRaises(ValueError):
            total([200], discount=101)

    def test_shipping_is_free_from_fifty(self):
        self.assertTrue(is_free_of_shipping([5000]))
        self.assertFalse(is_free_of_shipping([4999]))
""",
)
_lay(
    "py/pyproject.toml",
    """[project]
name = "shop"
version = "1.0"
license = "MIT"
dependencies = ["requests>=2.31"]

[tool.pytest.ini_options]
testpaths = ["tests"]

[tool.coverage.report]
fail_under = 90
""",
)
_lay(
    "web/package.json",
    """{
  "name": "shop-web",
  "version": "1.0.0",
  "license": "MIT",
  "type": "module",
  "scripts": {"test": "node --test test"},
  "dependencies": {"htmx.org": "2.0.4"}
}
""",
)
_lay(
    "web/src/price.js",
    """export function format(cents) {
  if (!Number.isInteger(cents)) throw new TypeError(`not cents: ${cents}`);
  return `${Math.trunc(cents / 100)}.${String(Math.abs(cents) % 100).padStart(2, "0")}`;
}

export function cheapest(prices) {
  return prices.length ? Math.min(...prices) : undefined;
}
""",
)
_lay(
    "web/test/price.test.js",
    """import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cheapest, format } from "../src/price.js";

describe("price", () => {
  it("has two digits of cents", () => {
    assert.equal(format(1205), "12.05");
  });
  it("refuses parts of a cent", () => {
    assert.throws(() => format(1.5), TypeError);
  });
  it("finds the cheapest", () => {
    assert.equal(cheapest([300, 120]), 120);
    assert.equal(cheapest([]), undefined);
  });
});
""",
)
_lay("svc/go.mod", "module shop.example/svc\n\ngo 1.22\n\nrequire github.com/google/uuid v1.6.0\n")
_lay(
    "svc/rate.go",
    """package svc

import "errors"

// Convert turns cents into another currency.
func Convert(cents int, rate float64) (int, error) {
	if rate <= 0 {
		return 0, errors.New("no rate")
	}
	return int(float64(cents)*rate + 0.5), nil
}
""",
)
_lay(
    "svc/rate_test.go",
    """package svc

import "testing"

func TestConvert(t *testing.T) {
	for _, c := range []struct {
		cents int
		rate  float64
		want  int
	}{{100, 1.5, 150}, {0, 2, 0}, {3, 0.5, 2}} {
		got, err := Convert(c.cents, c.rate)
		if err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("Convert(%d, %g) = %d, want %d", c.cents, c.rate, got, c.want)
		}
	}
}

func TestConvertRefusesNoRate(t *testing.T) {
	if _, err := Convert(100, 0); err == nil {
		t.Fatal("no error")
	}
}
""",
)
_lay(
    "core/Cargo.toml",
    '[package]\nname = "core"\nversion = "1.0.0"\nedition = "2021"\nlicense = "MIT"\n\n[dependencies]\n',
)
_lay(
    "core/src/lib.rs",
    """/// How many of a thing are left.
pub fn left(stock: u32, sold: u32) -> Option<u32> {
    stock.checked_sub(sold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sold_is_gone() {
        assert_eq!(left(5, 2), Some(3));
    }

    #[test]
    fn more_than_there_is_cannot_be_sold() {
        assert_eq!(left(1, 2), None);
    }
}
""",
)
_lay(
    "core/tests/stock.rs",
    """use core::left;

#[test]
fn all_can_be_sold() {
    assert_eq!(left(7, 7), Some(0));
}

#[test]
#[should_panic(expected = "nothing")]
fn nothing_panics() {
    left(0, 1).expect("nothing");
}
""",
)
_lay(
    "app/pom.xml",
    """<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>shop</groupId>
  <artifactId>app</artifactId>
  <version>1.0</version>
  <dependencies>
    <dependency>
      <groupId>org.junit.jupiter</groupId>
      <artifactId>junit-jupiter</artifactId>
      <version>5.10.2</version>
      <scope>test</scope>
    </dependency>
  </dependencies>
</project>
""",
)
_lay(
    "app/src/main/java/shop/Tax.java",
    """package shop;

/** Value added tax. */
public final class Tax {
    private Tax() {}

    /** The tax in a gross price, in cents. */
    public static int of(int gross, int percent) {
        if (percent < 0) {
            throw new IllegalArgumentException("percent " + percent);
        }
        return gross - gross * 100 / (100 + percent);
    }
}
""",
)
_lay(
    "app/src/test/java/shop/TaxTest.java",
    """package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class TaxTest {
    @Test
    void taxIsPartOfThePrice() {
        assertEquals(19, Tax.of(119, 19));
    }

    @Test
    void noTaxIsNothing() {
        assertEquals(0, Tax.of(119, 0));
    }

    @Test
    void negativeTaxIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> Tax.of(100, -1));
    }
}
""",
)

CHECKS = {
    "py": "python3 -m unittest discover -s py/tests -t py",
    "web": "node --test web/test",
}
"""What runs on every change: the languages whose tools every machine has; the others' tests are compared, not run."""
