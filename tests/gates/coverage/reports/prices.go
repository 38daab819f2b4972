package prices

import "errors"

// Rate is added to each sum.
const Rate = 2

func Total(prices []int) (int, error) {
	amount := 0
	for _, price := range prices {
		amount += price
	}
	if amount < 0 {
		return 0, errors.New("negative")
	}
	return amount * Rate, nil
}

func Refund(amount int) int {
	if amount > 100 {
		return amount - 5
	}
	return amount
}
