/**
 * The layer check: imports point down. Each folder of src/ may import itself and what is listed for it, nothing else.
 * The two planes (control, gateway) never import each other; they meet in model/.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';

const below: Record<string, readonly string[]> = {
  model: [],
  config: ['model', 'rollout'],
  observability: ['model'],
  http: ['model'],
  limits: ['model'],
  policy: ['model', 'runtime'],
  tokens: ['model'],
  rollout: ['model'],
  artifacts: ['model'],
  runtime: ['model'],
  build: ['model', 'runtime'],
  pods: ['model', 'runtime', 'build', 'artifacts', 'config'],
  kubernetes: ['model', 'config', 'observability', 'rollout'],
  upstream: ['model', 'runtime'],
  gateway: ['model', 'http', 'upstream', 'limits', 'policy', 'runtime', 'observability'],
  control: [
    'model',
    'rollout',
    'tokens',
    'config',
    'artifacts',
    'build',
    'policy',
    'runtime',
    'limits',
    'observability',
  ],
  fleet: ['model', 'limits'],
  dataplane: ['model', 'http', 'gateway', 'limits', 'policy', 'runtime', 'observability'],
  platform: [
    'fleet',
    'model',
    'rollout',
    'config',
    'control',
    'artifacts',
    'build',
    'policy',
    'runtime',
    'limits',
    'observability',
  ],
  cli: [
    'model',
    'tokens',
    'config',
    'control',
    'artifacts',
    'build',
    'pods',
    'policy',
    'runtime',
    'limits',
    'observability',
    'platform',
    'kubernetes',
  ],
};

const root = join(import.meta.dirname, '..', 'src');
const errors: string[] = [];
for (const file of globSync('**/*.ts', { cwd: root })) {
  const room = file.split(sep)[0] as string;
  const allowed = below[room];
  if (allowed === undefined) {
    errors.push(`src/${file}: its folder has no place in the layers (scripts/layers.ts).`);
    continue;
  }
  if (file.endsWith('.test.ts')) continue;
  const text = readFileSync(join(root, file), 'utf8');
  for (const match of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const target = normalize(join(dirname(file), match[1] as string));
    const targetRoom = target.split(sep)[0] as string;
    if (targetRoom === '..') continue;
    if (targetRoom !== room && !allowed.includes(targetRoom)) {
      errors.push(
        `src/${file}: imports ${target}, but ${room} may import only ${allowed.join(', ') || 'itself'}.`,
      );
    }
  }
}
for (const line of errors) console.error(line);
console.log(
  errors.length === 0 ? 'layers: imports point down' : `layers: ${errors.length} imports point the wrong way`,
);
process.exitCode = errors.length === 0 ? 0 : 1;
