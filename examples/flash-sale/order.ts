import { JSON, Response } from "mayfly";

/** An order as the customer sent it, or the answer that says what is wrong with it. */
export class Order {
  sku: string = "";
  quantity: i32 = 0;
  coupon: string = "";
  refusal: Response | null = null;
}

export function readOrder(body: JSON.Value): Order {
  const order = new Order();
  if (body.isInvalid) return refuse(order, 400, "Malformed JSON", body.error);
  if (!body.isObject) return refuse(order, 422, "Invalid order", "The order must be a JSON object.");

  const sku = body.get("sku");
  if (!sku.isString) return refuse(order, 422, "Invalid order", "sku must be a string.");
  order.sku = sku.asString();

  const quantity = body.get("quantity").asInteger();
  if (quantity < 1 || quantity > i32.MAX_VALUE) return refuse(order, 422, "Invalid order", "quantity must be a whole number from 1 on.");
  order.quantity = <i32>quantity;

  const coupon = body.get("coupon");
  const hasCoupon = !coupon.isMissing && !coupon.isNull;
  if (hasCoupon && !coupon.isString) return refuse(order, 422, "Invalid order", "coupon must be a string.");
  order.coupon = coupon.asString();
  return order;
}

function refuse(order: Order, status: i32, title: string, detail: string): Order {
  order.refusal = Response.problem(status, title, detail);
  return order;
}
