import type { Path } from './mistake.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** `${NAME}`, and `$${NAME}` for one that is meant literally. */
const reference = /\$?\$\{([A-Za-z_]\w*)\}/g;

interface Substitution {
  readonly environment: Environment;
  /** Called with the name of each variable that is not set. */
  readonly onMissing: (name: string, path: Path) => void;
}

/** The data with each `${NAME}` in its texts replaced by the environment's value, so that secrets need not be in the file. */
export function substitute(value: unknown, path: Path, by: Substitution): unknown {
  if (typeof value === 'string') return value.includes('${') ? replaceIn(value, path, by) : value;
  if (Array.isArray(value)) return value.map((item, index) => substitute(item, [...path, index], by));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, substitute(inner, [...path, key], by)] as const),
  );
}

function replaceIn(text: string, path: Path, { environment, onMissing }: Substitution): string {
  return text.replaceAll(reference, (match, name: string) => {
    if (match.startsWith('$$')) return match.slice(1);
    const value = environment[name];
    if (value === undefined) onMissing(name, path);
    return value ?? '';
  });
}
