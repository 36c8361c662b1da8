import { Article } from "./catalogue";

/** The price of an order, in cents. */
export class Price {
  gross: i64 = 0;
  quantityDiscount: i64 = 0;
  couponDiscount: i64 = 0;
  total: i64 = 0;
  couponRefused: bool = false;
}

/** From this many pieces on, percent off. */
const MANY: i32 = 3;
const MANY_PERCENT: i64 = 5;
const VERY_MANY: i32 = 10;
const VERY_MANY_PERCENT: i64 = 12;

/** A coupon takes percent off what the quantity discount left, from a least order value on. */
class Coupon {
  constructor(readonly code: string, readonly percent: i64, readonly minimum: i64) {}
}

const coupons: Coupon[] = [new Coupon("FLASH10", 10, 0), new Coupon("BIG20", 20, 50000)];

export function priceOrder(article: Article, quantity: i32, coupon: string): Price {
  const price = new Price();
  price.gross = article.price * quantity;
  const percent: i64 = quantity >= VERY_MANY ? VERY_MANY_PERCENT : quantity >= MANY ? MANY_PERCENT : 0;
  price.quantityDiscount = share(price.gross, percent);
  const reduced = price.gross - price.quantityDiscount;
  if (coupon.length > 0) {
    const found = findCoupon(coupon);
    if (found === null || reduced < found.minimum) price.couponRefused = true;
    else price.couponDiscount = share(reduced, found.percent);
  }
  price.total = reduced - price.couponDiscount;
  return price;
}

/** Percent of an amount in whole cents, half a cent rounded up. */
function share(amount: i64, percent: i64): i64 {
  return (amount * percent + 50) / 100;
}

function findCoupon(code: string): Coupon | null {
  for (let i = 0; i < coupons.length; i++) {
    if (coupons[i].code == code) return coupons[i];
  }
  return null;
}
