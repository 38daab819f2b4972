import unittest

from money import divide


class DivideTest(unittest.TestCase):
    def test_ties_go_to_the_even_neighbour(self):
        self.assertEqual([divide(n, 2) for n in (1, 3, 5, 7)], [0, 2, 2, 4])

    def test_large_sums_stay_exact(self):
        self.assertEqual(divide(10**20 + 1, 1), 10**20 + 1)

    def test_negative_numbers_round_to_the_nearest(self):
        self.assertEqual(divide(-7, 4), -2)

    def test_zero_is_refused_as_a_divisor(self):
        with self.assertRaises(ValueError):
            divide(1, 0)


if __name__ == "__main__":
    unittest.main()
