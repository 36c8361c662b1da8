import { OPTIONS } from "../http/methods";
import { head } from "../http/head";
import { is } from "../memory/bytes";
import { findRoute } from "./routes";
import { Template } from "./template";

/** Who answers a request, known as soon as its head is. */
export const FUNCTION: i32 = 0;
export const HEALTH: i32 = 1;
export const NO_ROUTE: i32 = 2;
export const WRONG_METHOD: i32 = 3;
/** OPTIONS where the function does not take it. */
export const ALLOWED_METHODS: i32 = 4;

/** Sets `answer` and `route` by host, path and method. The server's own paths come before every route. */
export function findAnswer(template: Template, pathStart: usize, pathEnd: usize): void {
  template.route = 0;
  if (is(pathStart, pathEnd, "/health") || is(pathStart, pathEnd, "/ready")) template.answer = HEALTH;
  else {
    const route = findRoute(head.hostStart, head.hostEnd, pathStart, pathEnd);
    if (route == null) {
      template.answer = NO_ROUTE;
      return;
    }
    template.route = changetype<usize>(route);
    if ((route.methods & (1 << template.method)) != 0) template.answer = FUNCTION;
    else template.answer = template.method == OPTIONS ? ALLOWED_METHODS : WRONG_METHOD;
  }
}
