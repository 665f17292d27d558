/** Where in the file's data: `['monitors', 3, 'options', 'port']`. */
export type Path = readonly (string | number)[];

/** One thing wrong in a configuration, where, and what was expected. */
export interface Mistake {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** `monitors[3].options.port`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** Takes a mistake down; `at: 'key'` points at the name of the value instead of the value. */
export type Report = (path: Path, message: string, at?: 'key' | 'value') => void;

/** `office.yaml:12:11: monitors[3].options.port: expected …` */
export function formatMistake(file: string, { line, column, path, message }: Mistake): string {
  const where = `${file}:${line}:${column}`;
  return path === '' ? `${where}: ${message}` : `${where}: ${path}: ${message}`;
}

export function formatPath(path: Path): string {
  return path.map(formatStep).join('').replace(/^\./, '');
}

function formatStep(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  return /^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}

const longestShown = 60;

/** What came, short enough for a line: `got a list`, `got "htpp"`. */
export function got(value: unknown): string {
  if (value === undefined || value === null) return 'got nothing';
  if (Array.isArray(value)) return 'got a list';
  if (typeof value === 'object') return 'got a mapping';
  const text = JSON.stringify(value);
  return `got ${text.length > longestShown ? `${text.slice(0, longestShown)}…` : text}`;
}
