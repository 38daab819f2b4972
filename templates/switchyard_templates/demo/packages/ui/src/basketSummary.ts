import type { Amount } from "./amount";
import { PriceTag } from "./price";

export function basketSummary(titles: readonly string[], toPay: Amount): string {
  const books = titles.map((title) => `<li>${title}</li>`).join("");
  return `<ul>${books}</ul><p>To pay: ${PriceTag(toPay)}</p>`;
}
