import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { part } from '../../scripts/parts/part.ts';
import { families } from '../../src/observability/definitions.ts';
import { missingPart } from '../support/parts.ts';

const folder = join(import.meta.dirname, '../../deploy/monitoring');

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert?: string; readonly record?: string; readonly expr: string }[];
  }[];
}

function rules() {
  const { groups } = parse(readFileSync(join(folder, 'rules.yaml'), 'utf8')) as Rules;
  return groups.flatMap((group) => group.rules);
}

test('the rules speak of metrics that exist', () => {
  const exported = new Set(Object.values(families).map(({ name }) => name));
  const recorded = new Set(rules().flatMap(({ record }) => record ?? []));
  const unknown = rules()
    .flatMap(({ expr }) => expr.match(/\bmayfly[a-z0-9_:]+/g) ?? [])
    .filter((name) => !recorded.has(name) && !exported.has(name.replace(/_(total|bucket|count|sum)$/, '')));
  assert.deepEqual(unknown, []);
});

test('every alert has a case in which it fires', () => {
  const { tests } = parse(readFileSync(join(folder, 'rules.test.yaml'), 'utf8')) as {
    tests: { alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[] }[];
  };
  const firing = new Set(
    tests
      .flatMap((item) => item.alert_rule_test ?? [])
      .filter(({ exp_alerts: alerts }) => alerts.length > 0)
      .map(({ alertname }) => alertname),
  );
  const alerts = rules().flatMap(({ alert }) => alert ?? []);
  assert.deepEqual(
    alerts.filter((name) => !firing.has(name)),
    [],
  );
});

test('promtool accepts the rules, and they fire when they should', async (t) => {
  const prometheus = await part('prometheus');
  if ('missing' in prometheus) return void missingPart(t, prometheus.missing);
  const promtool = (...args: string[]) => {
    const ran = spawnSync(prometheus.paths.promtool, args, { cwd: folder, encoding: 'utf8' });
    assert.equal(ran.status, 0, `${ran.stdout}${ran.stderr}`);
  };
  promtool('check', 'rules', '--lint=all', '--lint-fatal', 'rules.yaml');
  promtool('test', 'rules', 'rules.test.yaml');
});
