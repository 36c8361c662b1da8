import { isMap, isScalar, parseDocument, stringify, visit, type Document } from 'yaml';

/** Aliases may not blow a small text up: yaml's own guard, set low. */
const MAX_ALIASES = 100;

/** Rego's yaml.unmarshal: the value as JSON would have it, undefined where the text is no YAML. */
export function yamlUnmarshal(text: string): unknown {
  try {
    return read(text)?.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    return undefined; // an alias without anchor, or too many of them
  }
}

export function yamlIsValid(text: string): boolean {
  return yamlUnmarshal(text) !== undefined;
}

/** Rego's yaml.marshal: keys in order, as Go writes them. */
export function yamlMarshal(value: unknown): string {
  return stringify(value, { compat: 'yaml-1.1', sortMapEntries: true, lineWidth: 0 });
}

/** YAML that JSON can hold: one document whose keys are scalars. */
function read(text: string): Document.Parsed | undefined {
  const document = parseDocument(text, { logLevel: 'silent', merge: true, uniqueKeys: true });
  if (document.errors.length > 0) return undefined;
  let jsonable = true;
  visit(document, {
    Pair(_key, pair) {
      if (!isScalar(pair.key) || isMap(pair.key)) jsonable = false;
    },
  });
  return jsonable ? document : undefined;
}
