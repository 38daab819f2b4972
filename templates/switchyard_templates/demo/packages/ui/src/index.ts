export { formatPrice, PriceTag } from "./price";
export { basketSummary } from "./basketSummary";
export type { Amount } from "./amount";
