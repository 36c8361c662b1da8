import { MayflyError } from '../../model/errors.ts';

/** The module is not WebAssembly as the specification has it. */
export function malformed(what: string, offset?: number): MayflyError {
  return new MayflyError(`The module is not valid WebAssembly: ${what}`, {
    where: offset === undefined ? undefined : `byte ${offset}`,
    fix: 'Build it again; check that the file is complete.',
    code: 'invalid-module',
    exitCode: 2,
  });
}

/** The module is valid, but restoring it after a request could not be proven right. */
export function unsupported(feature: string, where: string, fix: string): MayflyError {
  return new MayflyError(`The module uses ${feature}, which functions may not`, {
    where,
    fix,
    code: 'unsupported-feature',
    exitCode: 2,
  });
}

/** The module is valid, but larger than what one function may ask of the host. */
export function tooLarge(what: string, found: number, allowed: number, fix: string): MayflyError {
  return new MayflyError(`The module asks for too much: ${what} is ${found}, at most ${allowed} is allowed`, {
    fix,
    code: 'module-too-large',
    exitCode: 2,
  });
}
