import type { SourceOf } from '../core/scalars.ts';

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

/** A file whose data is read: takes mistakes down, and knows how each scalar was written. */
export interface WrittenFile {
  readonly report: Report;
  /** Takes down what is allowed and will disappoint. */
  readonly warn: Report;
  readonly sourceOf: SourceOf;
}

/** The part of a file below `above`, with paths from there. */
export function partOf({ report, warn, sourceOf }: WrittenFile, above: Path): WrittenFile {
  return {
    report: (path, message, at) => report([...above, ...path], message, at),
    warn: (path, message, at) => warn([...above, ...path], message, at),
    sourceOf: (path) => sourceOf([...above, ...path]),
  };
}

/** `office.yaml:12:11: monitors[3].options.port: expected …` */
export function formatMistake(file: string, { line, column, path, message }: Mistake): string {
  const where = `${file}:${line}:${column}`;
  return path === '' ? `${where}: ${message}` : `${where}: ${path}: ${message}`;
}

/** `office.yaml:12:11: warning: monitors[3].timeout: …` */
export function formatWarning(file: string, { line, column, path, message }: Mistake): string {
  return `${file}:${line}:${column}: warning: ${path}: ${message}`;
}

export function formatPath(path: Path): string {
  return path.map(formatStep).join('').replace(/^\./, '');
}

function formatStep(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  return /^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}
