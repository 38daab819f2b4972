import { basketSummary } from "@tidewater/ui";
import { fetchBasket } from "./services";

export async function basketPage(): Promise<string> {
  const basket = await fetchBasket();
  return `<main><h1>Your basket</h1>${basketSummary(basket.titles, basket.toPay)}</main>`;
}
