/** The `WWW-Authenticate` header (RFC 9110 §11.6.1): a list of challenges, each a scheme with parameters. */

export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly params: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const SPACE = /[ \t]*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
/** RFC 9110 §11.2: `token68`, which no scheme that we know uses as a challenge. */
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(,|$))/y;
/** A header longer than this is not a challenge that a registry sends. */
const LONGEST = 8192;

/** What could be read; what follows a mistake is left out. */
export function parseChallenges(text: string): readonly Challenge[] {
  if (text.length > LONGEST) return [];
  const found: { scheme: string; params: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return null;
    at = pattern.lastIndex;
    return match[1] ?? match[0];
  };
  const takeComma = (): boolean => {
    let any = false;
    for (take(SPACE); text[at] === ','; take(SPACE)) {
      at++;
      any = true;
    }
    return any;
  };

  takeComma();
  while (at < text.length) {
    const scheme = take(TOKEN);
    if (scheme === null) return found;
    const params = new Map<string, string>();
    found.push({ scheme: scheme.toLowerCase(), params });
    take(SPACE);
    for (;;) {
      const before = at;
      const name = take(TOKEN);
      take(SPACE);
      if (name === null || text[at] !== '=') {
        // A scheme follows, or this is a token68.
        at = before;
        if (params.size === 0) take(TOKEN68);
        break;
      }
      at++;
      take(SPACE);
      const value = text[at] === '"' ? unescape(take(QUOTED)) : take(TOKEN);
      if (value === null) {
        at = before;
        take(TOKEN68);
        break;
      }
      if (!params.has(name.toLowerCase())) params.set(name.toLowerCase(), value);
      if (!takeComma()) break;
    }
    const separated = takeComma() || text[at - 1] === ',' || /,[ \t]*$/.test(text.slice(0, at));
    if (at < text.length && !separated) return found;
  }
  return found;
}

function unescape(quoted: string | null): string | null {
  return quoted === null ? null : quoted.replaceAll(/\\(.)/g, '$1');
}
