import type { SourceOf } from '../core/scalars.ts';
import type { Reference } from './variables.ts';

/** Where in the file's data: `['monitors', 3, 'options', 'port']`. */
export type Path = readonly (string | number)[];

/** One thing wrong in a configuration, where, and what was expected. */
export interface Mistake {
  /** As it is shown; empty for a text that came from nowhere. */
  readonly file: string;
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

/** A file, or a part of it, whose data is read: takes mistakes down, and knows how each scalar was written. */
export interface WrittenFile {
  readonly report: Report;
  /** Takes down what is allowed and will disappoint. */
  readonly warn: Report;
  readonly sourceOf: SourceOf;
  /** The variables whose values stand in the texts at this place and below it. */
  readonly referencesIn: (path: Path) => readonly Reference[];
  /** Whether a variable in the value has none; that was reported. */
  readonly isUnresolved: (path: Path) => boolean;
  /** `line 12 of office.yaml` */
  readonly lineOf: (path: Path) => string;
}

/** The part of a file below `above`, with paths from there. */
export function partOf(file: WrittenFile, above: Path): WrittenFile {
  return withPaths((path) => [file, [...above, ...path]]);
}

/** A part of one file or of several: `placeOf` leads from its paths to theirs. */
export function withPaths(placeOf: (path: Path) => readonly [file: WrittenFile, path: Path]): WrittenFile {
  const at = <Value>(path: Path, ask: (file: WrittenFile, path: Path) => Value): Value => ask(...placeOf(path));
  return {
    report: (path, message, key) => at(path, (file, inFile) => file.report(inFile, message, key)),
    warn: (path, message, key) => at(path, (file, inFile) => file.warn(inFile, message, key)),
    // Data that came from YAML has no symbols for keys.
    sourceOf: (path) => at(path as Path, (file, inFile) => file.sourceOf(inFile)),
    referencesIn: (path) => at(path, (file, inFile) => file.referencesIn(inFile)),
    isUnresolved: (path) => at(path, (file, inFile) => file.isUnresolved(inFile)),
    lineOf: (path) => at(path, (file, inFile) => file.lineOf(inFile)),
  };
}

/** `office.yaml:12:11: monitors[3].options.port: expected …` */
export function formatMistake({ file, line, column, path, message }: Mistake): string {
  const where = `${file}:${line}:${column}`;
  return path === '' ? `${where}: ${message}` : `${where}: ${path}: ${message}`;
}

/** `office.yaml:12:11: warning: monitors[3].timeout: …` */
export function formatWarning(warning: Mistake): string {
  return formatMistake({ ...warning, path: warning.path === '' ? 'warning' : `warning: ${warning.path}` });
}

export function formatPath(path: Path): string {
  return path.map(formatStep).join('').replace(/^\./, '');
}

function formatStep(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  return /^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}
