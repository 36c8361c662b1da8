/** What a snapshot has besides functions and routes: limits of the front, keys, policies. Read and compiled from what the configuration names. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { policyFiles } from '../config/files.ts';
import type { AuthPlan, PolicyPlan, Resolved } from '../config/resolve.ts';
import { POLICY_ID } from '../config/settle.ts';
import { MayflyError } from '../model/errors.ts';
import type { AuthSpec, PolicySpec, Snapshot } from '../model/snapshot.ts';
import { compilePolicy, toSpec } from '../policy/compile.ts';
import type { Foundation } from './desired.ts';
import { readOrCreateSecret } from './secret.ts';

export interface FoundationOptions {
  /** RFC 7517 key set in force; null when the configuration names none. */
  readonly jwks: AuthSpec['jwks'];
  /** Front and lane threads together share `concurrency.max_workers`. */
  readonly threads: number;
  readonly traceRequests: boolean;
  /** Compiled policies are kept here by digest. */
  readonly policyCache: string;
}

export async function layFoundation(resolved: Resolved, options: FoundationOptions): Promise<Foundation> {
  const { policy, auth, http, tls, decisionLog, maxInstances } = resolved;
  return {
    http: { ...http, tls: tls === null ? null : readTls(tls) },
    auth: auth === null ? null : { ...settleAuth(auth), jwks: options.jwks },
    policies: policy === null ? [] : [await settlePolicy(resolved.directory, policy, options.policyCache)],
    maxInstances: Math.max(1, Math.floor(maxInstances / options.threads)),
    decisionLog,
    traceRequests: options.traceRequests,
  };
}

function readTls(tls: NonNullable<Resolved['tls']>): NonNullable<Snapshot['http']['tls']> {
  return { certificate: readText(tls.certificateFile), key: readText(tls.keyFile) };
}

function settleAuth({
  secret,
  issuer,
  audience,
  maxTokenAgeMs,
  clockToleranceMs,
}: AuthPlan): Omit<AuthSpec, 'jwks'> {
  const limits = { issuer, audience, maxTokenAgeMs, clockToleranceMs };
  return { ...limits, secret: secret === null ? null : Buffer.from(secretText(secret)) };
}

/** The secret that signs HS256 tokens, made on first start when the configuration names a file that is not there yet. */
export function secretText(secret: NonNullable<AuthPlan['secret']>): string {
  return 'text' in secret ? secret.text : readOrCreateSecret(secret.file, 'security.jwt_secret_file');
}

/** Compiles the configured policy, unless it is there compiled; without `cacheDir` nothing is kept. Throws MayflyError with file and line when it is broken. */
export async function settlePolicy(
  directory: string,
  plan: PolicyPlan,
  cacheDir: string | null,
): Promise<PolicySpec> {
  const { entrypoints, opaUrl, compiledFolder } = plan;
  if (opaUrl !== null) return elsewhere(opaUrl, entrypoints);
  const files: Record<string, string> = {};
  for (const file of policyFiles(directory, plan.patterns)) files[relative(directory, file)] = readText(file);
  const data = plan.dataFile === null ? {} : readJson(plan.dataFile);
  return toSpec(
    POLICY_ID,
    await compilePolicy({ files, data, entrypoints }, { cacheDir, shippedDir: compiledFolder }),
  );
}

/** `policy.opa_url`: there is nothing to compile. */
function elsewhere(opaUrl: string, entrypoints: readonly string[]): PolicySpec {
  return {
    id: POLICY_ID,
    digest: opaUrl,
    entrypoints,
    wasm: null,
    javascript: null,
    javascriptRefused: null,
    data: null,
    opaUrl,
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new MayflyError(`Cannot read a file that the configuration names: ${(error as Error).message}`, {
      where: file,
      exitCode: 2,
      cause: error,
    });
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readText(file)) as unknown;
  } catch (error) {
    if (error instanceof MayflyError) throw error;
    throw new MayflyError(`Cannot use the policy's data: ${(error as Error).message}`, {
      where: file,
      fix: 'It must be one JSON document.',
      exitCode: 2,
      cause: error,
    });
  }
}
