/**
 * Tokens from a program that the kubeconfig names, as managed clusters have it
 * (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
 */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { MayflyError } from '../../model/errors.ts';

export const execPlugin = z.object({
  apiVersion: z.string(),
  command: z.string(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  installHint: z.string().optional(),
});

const credential = z.object({
  status: z.object({ token: z.string(), expirationTimestamp: z.string().optional() }),
});

/** A token is asked for again so long before its end. */
const EARLY_MS = 30_000;
const TIMEOUT_MS = 60_000;

export function execCredential(plugin: z.output<typeof execPlugin>, folder: string): () => Promise<string> {
  let known: { token: string; until: number } | null = null;
  return async () => {
    if (known === null || Date.now() > known.until) known = await ask(plugin, folder);
    return `Bearer ${known.token}`;
  };
}

async function ask(
  { apiVersion, command, args, env, installHint }: z.output<typeof execPlugin>,
  folder: string,
): Promise<{ token: string; until: number }> {
  const program = command.includes('/') ? resolve(folder, command) : command;
  const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  const own = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
  try {
    const { stdout } = await promisify(execFile)(program, args ?? [], {
      env: { ...process.env, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      timeout: TIMEOUT_MS,
    });
    const { token, expirationTimestamp } = credential.parse(JSON.parse(stdout)).status;
    const until = expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp) - EARLY_MS;
    return { token, until };
  } catch {
    // What went wrong may have the token in it.
    throw new MayflyError('Cannot get a token from the program that the kubeconfig names', {
      where: command,
      fix: installHint ?? 'Run it by hand to see what it says.',
      code: 'no-cluster',
    });
  }
}
