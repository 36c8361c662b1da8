import { MayflyError } from '../../model/errors.ts';
import type { Kind } from '../../model/function.ts';
import { AddedFunctions } from '../../runtime/module/added-functions.ts';
import { type ModuleParts, readModuleParts } from '../../runtime/module/module-parts.ts';
import { checkModuleLimits } from '../../runtime/prepare/module-limits.ts';
import { inspect } from '../../runtime/prepare/inspect.ts';
import { adapterImports } from './adapter-imports.ts';
import { readCallGraph } from './call-graph.ts';
import { readFacts } from './facts.ts';
import { GuestRuntime } from './guest-runtime.ts';
import { placeModules } from './index-spaces.ts';
import { PodLayout, type PodOptions } from './layout.ts';
import { PodWriter } from './pod-writer.ts';
import { readSegments } from './segments.ts';
import { TableRuntime } from './table-runtime.ts';
import { refuseModule } from './wasmedge.ts';

/**
 * Links a function and the server adapter into one module with one memory, for WasmEdge 0.14 with its default features
 * (docs/adr/0004-pods-are-linked-by-relocation.md has the design, docs/reference/pod-seam.md the contract with the adapter).
 * Throws MayflyError, code `pod-unsupported`, `pod-too-large` or what `inspect` throws, saying what and where.
 */
export function linkPod(
  guest: Uint8Array,
  adapter: Uint8Array,
  options: PodOptions,
): Uint8Array<ArrayBuffer> {
  const { kind } = inspect(guest);
  if (!WebAssembly.validate(guest as Uint8Array<ArrayBuffer>)) throw notValid();
  const parts = readModuleParts(guest);
  checkModuleLimits(parts);
  refuseModule(parts);
  return link(parts, readModuleParts(adapter), kind, options);
}

function link(
  guest: ModuleParts,
  adapter: ModuleParts,
  kind: Kind,
  options: PodOptions,
): Uint8Array<ArrayBuffer> {
  const segments = readSegments(guest);
  const facts = readFacts(guest, segments);
  const layout = new PodLayout(adapter, guest, facts, segments, options);
  const places = placeModules(adapter, guest);
  const added = new AddedFunctions(adapter.types.length + guest.types.length, places.firstAdded);
  const runtime = new GuestRuntime(layout, added, places.clock);
  const tables = new TableRuntime(layout, added, runtime);
  const graph = readCallGraph(guest, facts);
  const context = {
    layout,
    facts,
    graph,
    importedFunctions: guest.importedFunctions,
    to: places.guest,
    added,
    runtime,
    tables,
  };
  const writer = new PodWriter({ adapter, guest, segments, context, places, options });
  const code = writer.writeGuestCode(); // first: it decides which functions are added
  return writer.write(code, adapterImports(adapter, guest, kind, context, options));
}

function notValid(): MayflyError {
  return new MayflyError('The module is not valid WebAssembly: the engine does not accept it', {
    fix: 'Build it again; check that the file is complete.',
    code: 'invalid-module',
    exitCode: 2,
  });
}
