import { MayflyError } from '../../model/errors.ts';
import { type ModuleParts, signature } from '../../runtime/module/module-parts.ts';
import { Section } from '../../runtime/module/sections.ts';
import type { Renumbering } from './renumbering.ts';

/** The module name of what the adapter imports from the linker. */
export const GUEST = 'guest';

/** Where the functions, types, … of both modules are in the pod: those of the adapter, of the guest, and then ours. */
export interface Places {
  readonly guest: Renumbering;
  /** `resolve` gives the function that stands for an import from the linker, by its name. */
  readonly adapter: (resolve: (name: string) => number) => Renumbering;
  /** The adapter's imports that stay imports of the pod, by their index in the adapter. */
  readonly keptImports: readonly number[];
  /** The adapter's `clock`. */
  readonly clock: number;
  /** The first function behind those of both modules. */
  readonly firstAdded: number;
}

export function placeModules(adapter: ModuleParts, guest: ModuleParts): Places {
  const isKept = adapter.imports.map(({ module }) => module !== GUEST);
  const keptImports = isKept.flatMap((kept, index) => (kept ? [index] : []));
  const kept = new Map(keptImports.map((index, place) => [index, place]));
  const defined = (index: number) => keptImports.length + index - adapter.importedFunctions;
  const firstGuest = defined(adapter.functions.length);
  const exported = (name: string): number | undefined => {
    const index = functionExport(adapter, name);
    if (index === undefined) return undefined;
    return index < adapter.importedFunctions ? kept.get(index) : defined(index);
  };
  const imports = guest.imports.map(({ module, name }, index) => {
    const place = exported(`${module}$${name}`);
    if (place === undefined) throw notOffered(`${module}.${name}`);
    checkSignature(adapter, guest, index);
    return place;
  });
  const clock = exported('clock');
  if (clock === undefined) throw brokenAdapter('it does not export clock');
  const [elements, data] = [Section.ELEMENT, Section.DATA].map(
    (id) => adapter.sections.reader(id)?.count() ?? 0,
  );
  return {
    guest: {
      type: (index) => adapter.types.length + index,
      func: (index) => imports[index] ?? firstGuest + index - guest.importedFunctions,
      global: (index) => adapter.globals.length + index,
      table: (index) => adapter.tables.length + index,
      element: (index) => (elements as number) + index,
      data: (index) => (data as number) + index,
    },
    adapter: (resolve) => ({
      type: (index) => index,
      func: (index) => {
        if (index >= adapter.importedFunctions) return defined(index);
        return kept.get(index) ?? resolve((adapter.imports[index] as { name: string }).name);
      },
      global: (index) => index,
      table: (index) => index,
      element: (index) => index,
      data: (index) => index,
    }),
    keptImports,
    clock,
    firstAdded: firstGuest + guest.functions.length - guest.importedFunctions,
  };
}

export function functionExport(parts: ModuleParts, name: string): number | undefined {
  return parts.exports.find((entry) => entry.kind === 'function' && entry.name === name)?.index;
}

function checkSignature(adapter: ModuleParts, guest: ModuleParts, index: number): void {
  const { module, name } = guest.imports[index] as { module: string; name: string };
  const func = functionExport(adapter, `${module}$${name}`) as number;
  const [wanted, found] = [
    guest.types[guest.functions[index] as number],
    adapter.types[adapter.functions[func] as number],
  ].map((type) => (type === undefined ? '' : signature(type)));
  if (wanted !== found) throw brokenAdapter(`its ${module}.${name} is ${found} instead of ${wanted}`);
}

function notOffered(name: string): MayflyError {
  return new MayflyError('The function cannot become a pod: it imports what pods do not offer', {
    where: name,
    fix: 'docs/reference/guest-abi.md says which imports there are; the guide about pods which of them pods lack.',
    code: 'pod-unsupported',
    exitCode: 2,
  });
}

export function brokenAdapter(what: string): MayflyError {
  return new MayflyError(`The server adapter of pods does not fit this Mayfly: ${what}`, {
    fix: 'Install Mayfly again.',
    code: 'pod-adapter',
  });
}
