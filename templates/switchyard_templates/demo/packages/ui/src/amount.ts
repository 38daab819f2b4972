/** An amount as the services send it: whole numbers of the smallest coin. */
export interface Amount {
  minor: number;
  currency: string;
}

const DIGITS: Record<string, number> = { EUR: 2, GBP: 2, JPY: 0, KWD: 3 };

export function digitsOf(currency: string): number {
  return DIGITS[currency] ?? 2;
}
