import { resolve } from 'node:path';
import { AppError } from '../core/errors.ts';
import { quoted } from '../core/quoted.ts';
import { isSecretName } from '../core/secrets.ts';
import { readRegularFile } from './regular-file.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** One `${…}` of a text, and what stands there now. */
export interface Reference {
  readonly value: string;
  /** Known by its name, or by the file it came from; others are secret where they stand in a place for secrets. */
  readonly isSecret: boolean;
}

export interface Expanded {
  readonly text: string;
  readonly references: readonly Reference[];
  /** Why a reference has no value. Then the text is of no use. */
  readonly mistakes: readonly string[];
}

/** A reference, or `$${` for `${` itself. */
const reference = /\$\$\{|\$\{([^}]*\}?)/g;
const variable = /^([A-Za-z_]\w*)(?::-(.*))?$/s;
const maxFileBytes = 65_536;
/** A few references to a large variable must not fill the memory. */
const maxInserted = 16 * 1024 * 1024;

const howToWrite = 'write ${NAME}, ${NAME:-default} or ${file:/path}, or $${ for the text itself';

/** Puts values of the environment and of files into texts: `${NAME}`, `${NAME:-default}`, `${file:/run/secrets/x}`. */
export class Variables {
  readonly #environment: Environment;
  readonly #files = new Map<string, string | AppError>();
  #inserted = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Those that were read. */
  get files(): readonly string[] {
    return [...this.#files].flatMap(([file, contents]) => (typeof contents === 'string' ? [file] : []));
  }

  /** `folder`: where the path of a file begins. */
  expand(written: string, folder: string): Expanded {
    const references: Reference[] = [];
    const mistakes: string[] = [];
    const text = written.replaceAll(reference, (match, inside: string) => {
      if (match === '$${') return '${';
      const found = inside.endsWith('}') ? this.#valueOf(inside.slice(0, -1), folder) : malformed();
      if (typeof found === 'string') {
        mistakes.push(found);
        return '';
      }
      this.#inserted += found.value.length;
      if (this.#inserted > maxInserted) {
        mistakes.push(`expected values of variables of at most ${maxInserted} characters in all`);
        return '';
      }
      references.push(found);
      return found.value;
    });
    return { text, references, mistakes };
  }

  /** The value, or why there is none. */
  #valueOf(inside: string, folder: string): Reference | string {
    if (inside === 'file:') return malformed();
    if (inside.startsWith('file:')) return this.#contentsOf(resolve(folder, inside.slice('file:'.length)));
    const [, name, fallback] = variable.exec(inside) ?? [];
    if (name === undefined) return malformed();
    const value = this.#environment[name];
    const isSecret = isSecretName(name);
    // As in a shell: a default also takes the place of a value that is empty.
    if (fallback !== undefined) return { value: value || fallback, isSecret };
    if (value !== undefined) return { value, isSecret };
    return `the environment has no variable ${name}; set it, write \${${name}:-default}, or $\${${name}} for the text itself`;
  }

  #contentsOf(file: string): Reference | string {
    const contents = this.#files.getOrInsertComputed(file, readSecret);
    if (typeof contents === 'string') return { value: contents, isSecret: true };
    return `${quoted(file)} cannot be read: ${contents.message}`;
  }
}

function malformed(): string {
  return `expected the name of a variable or a file: ${howToWrite}`;
}

/** The text of a file without the line break at its end, which editors and `echo` leave there. */
function readSecret(file: string): string | AppError {
  try {
    return readRegularFile(file, maxFileBytes).replace(/\r?\n$/, '');
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}
