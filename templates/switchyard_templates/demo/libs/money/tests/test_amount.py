import unittest

from money import Amount, currency

EUR = currency("EUR")
JPY = currency("JPY")


class AmountTest(unittest.TestCase):
    def test_amounts_of_one_currency_add_up(self):
        self.assertEqual(Amount(1250, EUR) + Amount(750, EUR), Amount(2000, EUR))

    def test_currencies_do_not_mix(self):
        with self.assertRaisesRegex(ValueError, "convert one first"):
            Amount(1250, EUR) + Amount(1250, JPY)

    def test_text_shows_the_digits_of_the_currency(self):
        self.assertEqual(str(Amount(1205, EUR)), "12.05 EUR")
        self.assertEqual(str(Amount(1205, JPY)), "1205 JPY")
        self.assertEqual(str(Amount(-5, EUR)), "-0.05 EUR")

    def test_a_share_is_rounded_once(self):
        self.assertEqual(Amount(999, EUR).times(1, 3), Amount(333, EUR))


if __name__ == "__main__":
    unittest.main()
