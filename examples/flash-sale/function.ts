import { JSON, Request, Response } from "mayfly";
import { catalogue, find } from "./catalogue";
import { priceOrder } from "./pricing";
import { readOrder } from "./order";

export function handle(request: Request): Response {
  if (request.is("POST", "/api/function")) return placeOrder(request);
  if (request.is("GET", "/api/status")) return status();
  if (request.is("GET", "/api/all")) return listCatalogue();
  return Response.problem(404, "Not found", "The flash sale has no such page.");
}

/** Prices an order: checks it, applies the promotions, answers with lines, discounts and total in integer cents. */
function placeOrder(request: Request): Response {
  const order = readOrder(request.json());
  if (order.refusal !== null) return order.refusal!;

  const item = find(order.sku);
  if (item === null) return Response.problem(422, "Unknown article", "No article has the sku " + order.sku + ".");

  const price = priceOrder(item, order.quantity, order.coupon);
  if (price.couponRefused) return Response.problem(422, "Coupon not accepted", "The coupon is unknown or not valid for this order.");

  const answer = JSON.object()
    .set("status", "accepted")
    .set("currency", "EUR")
    .array("lines");
  answer
    .object()
    .set("sku", item.sku)
    .set("name", item.name)
    .set("quantity", order.quantity)
    .set("unitPrice", item.price)
    .set("amount", price.gross)
    .end()
    .end();
  answer.array("discounts");
  if (price.quantityDiscount > 0) answer.object().set("reason", "quantity").set("amount", price.quantityDiscount).end();
  if (price.couponDiscount > 0) answer.object().set("reason", "coupon").set("amount", price.couponDiscount).end();
  answer.end();
  answer.set("discount", price.quantityDiscount + price.couponDiscount).set("total", price.total);
  return Response.json(answer);
}

function status(): Response {
  return Response.json(JSON.object().set("service", "flash-sale").set("status", "ok").set("articles", catalogue.length));
}

function listCatalogue(): Response {
  const answer = JSON.object().set("currency", "EUR").array("articles");
  for (let i = 0; i < catalogue.length; i++) {
    const item = catalogue[i];
    answer.object().set("sku", item.sku).set("name", item.name).set("price", item.price).end();
  }
  return Response.json(answer);
}
