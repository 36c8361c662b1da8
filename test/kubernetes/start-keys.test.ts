/** What pods of a gateway read only when they start is what the gateway itself says needs a restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { restartKeys } from '../../src/control/restart-keys.ts';
import { planGateway } from '../../src/kubernetes/isolate/plan.ts';
import { podTemplate } from '../../src/kubernetes/isolate/pod-template.ts';
import { GATEWAY } from '../../src/kubernetes/resources/kinds.ts';
import { demandAddress } from '../../src/kubernetes/resources/names.ts';
import { ownerOf } from '../../src/kubernetes/resources/owned.ts';
import { parseSpec } from '../../src/kubernetes/resources/parse.ts';
import { makeTestFolder } from '../support/folder.ts';

function made(spec: object, address = demandAddress()) {
  const metadata = { name: 'shop', namespace: 'shop', uid: 'u' };
  const gateway = { apiVersion: 'mayfly.dev/v1alpha1', kind: 'MayflyGateway', metadata, spec };
  const parsed = parseSpec(GATEWAY, gateway);
  assert.ok('spec' in parsed, JSON.stringify(parsed));
  const nothing = () => undefined;
  const none = () => null;
  const plan = planGateway({
    gateway,
    spec: parsed.spec,
    functions: [],
    demandAddress: address,
    policy: nothing,
    rateLimit: nothing,
    verdict: none,
    compiled: none,
  });
  using folder = makeTestFolder({ 'mayfly.yaml': plan.configuration });
  const { secrets, start } = plan;
  return {
    resolved: resolveConfig(loadConfig(folder.path, {})),
    template: JSON.stringify(
      podTemplate({ owner: ownerOf(gateway), spec: parsed.spec, image: 'i', secrets, start }),
    ),
  };
}

const usual = made({});

for (const [what, other, restarts] of [
  ['threads', made({ server: { threads: 3 } }), true],
  ['the drain delay', made({ server: { drainDelay: '9s' } }), true],
  ['the logs', made({ logging: { level: 'warn' } }), true],
  ['health checks', made({ monitoring: { healthCheckInterval: '5s' } }), true],
  ['the fleet', made({ fleet: { store: 'valkey://valkey:6379' } }), true],
  ['where reports go', made({}, demandAddress('elsewhere')), true],
  ['connections', made({ server: { timeout: '5s', maxConnections: 7, maxHeaders: 7 } }), false],
  ['rate limits', made({ rateLimit: { burstSize: 7 } }), false],
  ['limits', made({ function: { requestTimeout: '7s' }, concurrency: { queueSize: 7 } }), false],
  ['tokens', made({ security: { jwksUrl: 'https://keys.example.com', clockTolerance: '1s' } }), false],
  ['the decision log', made({ policy: { decisionLog: { enabled: true } } }), false],
] as const)
  test(`${what}: ${restarts ? 'other pods' : 'the same pods'}`, () => {
    assert.equal(restartKeys(usual.resolved, other.resolved).length > 0, restarts);
    assert.equal(other.template !== usual.template, restarts);
  });
