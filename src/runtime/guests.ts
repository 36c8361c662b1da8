import type { RevisionSpec } from '../model/function.ts';
import type { Guest } from './guest.ts';
import { HandlerGuest } from './handler-guest.ts';
import type { RuntimeThread } from './runtime-thread.ts';
import { WagiGuest } from './wagi-guest.ts';

/** A new instance of a revision, initialised. Throws what its initialisation throws. */
export function createGuest(thread: RuntimeThread, revision: RevisionSpec): Guest {
  switch (revision.kind) {
    case 'handler':
      return new HandlerGuest(thread, revision);
    case 'wagi':
      return new WagiGuest(thread, revision);
  }
}
