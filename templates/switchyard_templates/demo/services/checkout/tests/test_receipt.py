import unittest

from checkout.basket import Basket, Line
from checkout.receipt import receipt
from checkout.totals import totals
from money import Amount, currency

EUR = currency("EUR")
BASKET = Basket(EUR, (Line("Moby-Dick", Amount(1250, EUR), 2),))


class ReceiptTest(unittest.TestCase):
    def test_shipping_is_part_of_what_is_to_be_paid(self):
        self.assertEqual(totals(BASKET).to_pay, Amount(2890, EUR))

    def test_an_empty_basket_ships_for_nothing(self):
        self.assertEqual(totals(Basket(EUR)).to_pay, Amount(0, EUR))

    def test_the_receipt_ends_with_the_sum(self):
        self.assertRegex(receipt(BASKET).splitlines()[-1], r"^To pay +28\.90 EUR$")


if __name__ == "__main__":
    unittest.main()
