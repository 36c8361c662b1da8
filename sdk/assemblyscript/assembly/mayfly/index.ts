/**
 * Mayfly's SDK for functions in AssemblyScript. The names and shapes are those of fetch:
 *
 *   import { Request, Response } from "mayfly";
 *   export function handle(request: Request): Response {
 *     return new Response("Hello");
 *   }
 */
import * as JSON from "./json";

export { JSON };
export { Request } from "./request";
export { Query } from "./query";
export { RequestHeaders, ResponseHeaders } from "./headers";
export { Response, ResponseInit } from "./response";
export { log, config, now, random } from "./host";
