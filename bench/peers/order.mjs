// The flash sale's order handler in plain JavaScript: what a peer without Wasm runs. The same JSON comes out.
const catalogue = new Map([
  ['lamp-1', { name: 'Desk lamp', price: 3990, limit: 10 }],
  ['mug-7', { name: 'Mug', price: 895, limit: 50 }],
  ['phone-x', { name: 'Phone X', price: 69900, limit: 2 }],
  ['buds-2', { name: 'Ear buds', price: 12900, limit: 5 }],
  ['tee-m', { name: 'T-shirt', price: 1990, limit: 20 }],
]);

/** The answer's JSON to the JSON of an order. */
export function order(text) {
  const { sku, quantity } = JSON.parse(text);
  const { name, price } = catalogue.get(sku);
  const gross = price * quantity;
  const percent = quantity >= 10 ? 12 : quantity >= 3 ? 5 : 0;
  const discount = Math.floor((gross * percent + 50) / 100);
  return JSON.stringify({
    status: 'accepted',
    currency: 'EUR',
    lines: [{ sku, name, quantity, unitPrice: price, amount: gross }],
    discounts: discount > 0 ? [{ reason: 'quantity', amount: discount }] : [],
    discount,
    total: gross - discount,
  });
}
