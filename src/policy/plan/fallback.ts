/**
 * Thrown where a decision meets something that this translation does not compute exactly (a fraction that Rego rounds
 * in its own way, a letter whose lower case changed between versions of Unicode): the policy's WebAssembly form then
 * answers instead. It is made once and has no useful stack, so that throwing it costs next to nothing.
 */
export class PlanFallback extends Error {
  override readonly name = 'PlanFallback';
}

const signal = new PlanFallback('This decision needs the WebAssembly form of the policy.');

export function fallback(): never {
  throw signal;
}
