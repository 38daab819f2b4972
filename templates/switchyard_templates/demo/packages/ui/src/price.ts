import { digitsOf, type Amount } from "./amount";

export function formatPrice(amount: Amount): string {
  const digits = digitsOf(amount.currency);
  return `${(amount.minor / 10 ** digits).toFixed(digits)} ${amount.currency}`;
}

export function PriceTag(amount: Amount): string {
  return `<span class="price">${formatPrice(amount)}</span>`;
}
