import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseSync, Visitor, type Node } from 'oxc-parser';

const source = resolve(import.meta.dirname, '../../../src');
const isNoProgram = /^testing\/|_template\/|\.(?:test|contract)\.ts$/;

/** A regular expression as it stands in a file of the program. */
export interface Expression {
  readonly file: string;
  readonly pattern: RegExp;
}

export interface SourceScan {
  readonly expressions: readonly Expression[];
  /** Files with a loop that counts or waits for a condition: `for (;;)`, `while`, `do`. */
  readonly filesWithLoops: readonly string[];
  /** Calls of `RegExp`, whose pattern nobody can read off the source. */
  readonly computed: readonly string[];
}

/** Every regular expression and every loop in the sources of the program. */
export function scanSources(): SourceScan {
  const expressions: Expression[] = [];
  const filesWithLoops = new Set<string>();
  const computed: string[] = [];
  for (const file of globSync('**/*.ts', { cwd: source }).toSorted()) {
    if (isNoProgram.test(file)) continue;
    const noteLoop = (): void => void filesWithLoops.add(file);
    const noteCall = ({ callee }: { readonly callee: Node }): void => {
      if (callee.type === 'Identifier' && callee.name === 'RegExp') computed.push(file);
    };
    new Visitor({
      Literal(node) {
        if ('regex' in node) expressions.push({ file, pattern: new RegExp(node.regex.pattern, node.regex.flags) });
      },
      ForStatement: noteLoop,
      WhileStatement: noteLoop,
      DoWhileStatement: noteLoop,
      CallExpression: noteCall,
      NewExpression: noteCall,
    }).visit(parseSync(file, readFileSync(resolve(source, file), 'utf8')).program);
  }
  return { expressions, filesWithLoops: [...filesWithLoops], computed };
}
