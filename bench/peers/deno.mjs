import { order } from './order.mjs';
Deno.serve(
  { port: Number(Deno.env.get('PORT')), hostname: '127.0.0.1', onListen() {} },
  async (request) =>
    new Response(order(await request.text()), { headers: { 'content-type': 'application/json' } }),
);
