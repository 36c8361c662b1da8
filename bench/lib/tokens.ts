/** HS256 tokens that the shop's policy lets pass. */
import { issueToken } from '../../src/tokens/issue.ts';

export const SECRET = 'a secret for benchmarks only, 32+ bytes';

export function tokenOf(subject: string, role = 'user'): Promise<string> {
  return issueToken(Buffer.from(SECRET), { sub: subject, role, status: 'active' }, 24 * 3600);
}

export function tokensOf(count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, (_, user) => tokenOf(`user-${user}`)));
}
