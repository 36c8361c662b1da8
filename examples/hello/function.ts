import { Request, Response } from "mayfly";

export function handle(request: Request): Response {
  return new Response("Hello from Mayfly\n");
}
