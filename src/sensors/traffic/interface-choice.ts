import { fitsWildcard } from '../../core/wildcard.ts';

/** Which interfaces are wanted: the names that a pattern without `!` fits, or all if there is none, but not those that one with `!` fits. */
export function interfaceChoice(patterns: readonly string[]): (name: string) => boolean {
  const wanted = patterns.filter((pattern) => !pattern.startsWith('!'));
  const unwanted = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  return (name) =>
    (wanted.length === 0 || wanted.some((pattern) => fitsWildcard(pattern, name))) &&
    !unwanted.some((pattern) => fitsWildcard(pattern, name));
}
