/**
 * Reading values as OPA's `opa_value_dump` writes them: JSON, but with sets (`{1, 2}`, `set()`), keys of any type,
 * and numbers of any size.
 */

/** The texts of an array's or a set's members. */
export function topLevelItems(text: string): string[] {
  const items: string[] = [];
  const inner = text.slice(1, -1);
  let start = 0;
  let depth = 0;
  for (let at = 0; at < inner.length; at++) {
    const char = inner[at];
    if (char === '"') at = endOfString(inner, at);
    else if (char === '[' || char === '{' || char === '(') depth++;
    else if (char === ']' || char === '}' || char === ')') depth--;
    else if (char === ',' && depth === 0) {
      items.push(inner.slice(start, at).trim());
      start = at + 1;
    }
  }
  const last = inner.slice(start).trim();
  if (last !== '') items.push(last);
  return items;
}

/** Index of the closing quote of the string that opens at `at`. */
function endOfString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i;
  }
  return text.length;
}
