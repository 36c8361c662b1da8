import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestPlatform } from './platform.ts';

/** Calls the admin API of a test platform; anything but success is an assertion error. `path` is what follows /v1/. */
export function adminOf({ platform, folder }: TestPlatform) {
  const token = readFileSync(join(folder, '.mayfly/admin-token'), 'utf8').trim();
  return async <T>(method: string, path: string, body?: BodyInit, type = 'application/json'): Promise<T> => {
    const response = await fetch(`${platform.addresses.admin}/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  };
}
