/** Parts of functions as people read them. */
import type { z } from 'zod';
import type { route, share } from '../../control/admin/schemas.ts';

/** `GET,POST shop.example/orders` */
export function formatRoute({ methods, host, path }: z.infer<typeof route>): string {
  return `${methods?.join(',') ?? '*'} ${host ?? ''}${path}`;
}

/** `revision 4: 90 %, revision 3: 10 %` */
export function formatTraffic(traffic: readonly z.infer<typeof share>[]): string {
  return traffic.map(({ revision, weight }) => `revision ${revision}: ${weight} %`).join(', ');
}
