import { AppError } from '../../core/errors.ts';
import { quoted } from '../../core/quoted.ts';

/** A name or an id as one part of a path. @throws {AppError} usage, for one that would lead to another path */
export function pathPart(idOrName: string): string {
  // RFC 3986, section 5.2.4: dots are taken out of a path, encoded or not.
  if (idOrName === '' || idOrName === '.' || idOrName === '..')
    throw new AppError('usage', `expected a name or an id, got ${quoted(idOrName)}`);
  return encodeURIComponent(idOrName);
}
