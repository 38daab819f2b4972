import unittest

from checkout.basket import Basket, Line
from money import Amount, currency

EUR = currency("EUR")


class BasketTest(unittest.TestCase):
    def test_lines_add_up(self):
        basket = Basket(EUR, (Line("Moby-Dick", Amount(1250, EUR), 2), Line("The Waves", Amount(990, EUR))))
        self.assertEqual(basket.goods(), Amount(3490, EUR))

    def test_an_empty_basket_costs_nothing(self):
        self.assertEqual(Basket(EUR).goods(), Amount(0, EUR))


if __name__ == "__main__":
    unittest.main()
