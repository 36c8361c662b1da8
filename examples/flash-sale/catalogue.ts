/** What the sale offers. Prices in cents. Built once: the memory of a function is photographed after start. */
export class Article {
  constructor(
    readonly sku: string,
    readonly name: string,
    readonly price: i64,
    /** Most pieces in one order. */
    readonly limit: i32,
  ) {}
}

export const catalogue: Article[] = [
  new Article("lamp-1", "Desk lamp", 3990, 10),
  new Article("mug-7", "Mug", 895, 50),
  new Article("phone-x", "Phone X", 69900, 2),
  new Article("buds-2", "Ear buds", 12900, 5),
  new Article("tee-m", "T-shirt", 1990, 20),
];

export function find(sku: string): Article | null {
  for (let i = 0; i < catalogue.length; i++) {
    if (catalogue[i].sku == sku) return catalogue[i];
  }
  return null;
}
