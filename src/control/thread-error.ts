import { MayflyError } from '../model/errors.ts';

/** An error that crossed a thread boundary has lost its class; a MayflyError gets it back. */
export function reviveError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (error.name !== 'MayflyError' || error instanceof MayflyError) return error;
  const { what, where, fix, code, exitCode } = error as Partial<MayflyError>;
  return new MayflyError(what ?? error.message, { where, fix, code, exitCode, cause: error });
}
