import type { Amount } from "@tidewater/ui";

export interface BasketAnswer {
  titles: string[];
  toPay: Amount;
}

export async function fetchBasket(): Promise<BasketAnswer> {
  const answer = await fetch("/api/checkout/basket");
  return (await answer.json()) as BasketAnswer;
}
