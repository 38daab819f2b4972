import unittest

from money import Amount, currency
from rates import convert, load_table


class ConvertTest(unittest.TestCase):
    def setUp(self):
        self.table = load_table()

    def test_euros_become_yen_without_a_fraction(self):
        self.assertEqual(convert(Amount(1000, currency("EUR")), currency("JPY"), self.table), Amount(1624, currency("JPY")))

    def test_pounds_reach_dinars_through_the_euro(self):
        self.assertEqual(str(convert(Amount(8512, currency("GBP")), currency("KWD"), self.table)), "33.410 KWD")

    def test_the_same_currency_is_left_alone(self):
        self.assertEqual(convert(Amount(995, currency("EUR")), currency("EUR"), self.table), Amount(995, currency("EUR")))


if __name__ == "__main__":
    unittest.main()
