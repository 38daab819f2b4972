'use strict';

// Prices: ünï 😀 code before the functions shifts bytes and UTF-16 units apart.
const RATE = 0.2;

function total(prices) {
  const amount = prices.reduce(
    (sum, price) => sum + price,
    0,
  );
  if (amount < 0) {
    throw new Error('negative');
  } else {
    return amount * (1 + RATE);
  }
}

const refund = (amount) => {
  if (amount > 100) {
    return amount - 5;
  }
  return amount;
};

/* c8 ignore next 3 */
function debug() {
  console.log('here');
}

module.exports = { total, refund, debug };
