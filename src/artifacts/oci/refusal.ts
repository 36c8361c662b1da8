import { MayflyError } from '../../model/errors.ts';

/** An image that cannot be used as it is: damaged, too large, of another kind. */
export function badImage(what: string, where: string, fix?: string): MayflyError {
  return new MayflyError(`Cannot use the image: ${what}`, { where, fix, code: 'bad-image' });
}

export function noSuchImage(where: string, fix = 'Check the name and the tag.'): MayflyError {
  return new MayflyError('There is no such image', { where, fix, code: 'no-such-image' });
}
