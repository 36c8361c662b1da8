/** What Gateways say of a route to them. Pure. */
import type { KubeObject } from '../cluster/objects.ts';
import type { Finding } from '../resources/status.ts';

interface Parent {
  readonly parentRef?: { readonly name?: string };
  readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
}

/** Conditions of a route that must hold: it belongs to the Gateway, and what it names is there. */
const NEEDED = new Set(['Accepted', 'ResolvedRefs']);

/** Degraded where a Gateway refuses the route and nothing worse is known: pods answer, but nobody gets to them that way. */
export function withRoute(findings: readonly Finding[], route: KubeObject | undefined): readonly Finding[] {
  const refusal = refusalOf(route);
  if (refusal === null) return findings;
  return findings.map((finding) =>
    finding.type === 'Degraded' && finding.status === 'False'
      ? { type: finding.type, status: 'True', reason: 'RouteRefused', message: refusal }
      : finding,
  );
}

function refusalOf(route: KubeObject | undefined): string | null {
  const { parents = [] } = (route?.['status'] ?? {}) as { parents?: readonly Parent[] };
  for (const { parentRef, conditions = [] } of parents) {
    const failed = conditions.find(({ type, status }) => NEEDED.has(type) && status === 'False');
    if (failed === undefined) continue;
    const why = failed.message ?? failed.reason ?? failed.type;
    return `Gateway ${parentRef?.name ?? '?'} does not take the route: ${why}`;
  }
  return null;
}
