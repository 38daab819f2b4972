import unittest
from fractions import Fraction

from rates import load_table


class RateTableTest(unittest.TestCase):
    def test_the_published_file_is_read_exactly(self):
        self.assertEqual(load_table().rate("EUR", "GBP"), Fraction("0.8512"))

    def test_an_unknown_currency_is_named(self):
        with self.assertRaisesRegex(ValueError, "no rate for XAU"):
            load_table().rate("EUR", "XAU")


if __name__ == "__main__":
    unittest.main()
