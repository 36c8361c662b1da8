import { order } from './order.mjs';
Bun.serve({
  port: Number(process.env.PORT),
  hostname: '127.0.0.1',
  async fetch(request) {
    return new Response(order(await request.text()), { headers: { 'content-type': 'application/json' } });
  },
});
