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

  const article = find(order.sku);
  if (article === null) return Response.problem(422, "Unknown article", `No article has the sku ${order.sku}.`);
  if (order.quantity > article.limit) {
    return Response.problem(422, "Too many", `At most ${article.limit} pieces of it in one order.`);
  }
  const price = priceOrder(article, order.quantity, order.coupon);
  if (price.couponRefused) {
    return Response.problem(422, "Coupon not accepted", "The coupon is unknown, or the order is too small for it.");
  }

  const answer = JSON.object().set("status", "accepted").set("currency", "EUR");
  answer
    .array("lines")
    .object()
    .set("sku", article.sku)
    .set("name", article.name)
    .set("quantity", order.quantity)
    .set("unitPrice", article.price)
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
    const article = catalogue[i];
    answer
      .object()
      .set("sku", article.sku)
      .set("name", article.name)
      .set("price", article.price)
      .set("limit", article.limit)
      .end();
  }
  return Response.json(answer);
}
