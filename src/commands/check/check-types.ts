import { existsSync } from 'node:fs';
import type { CheckType } from '../../core/check.ts';

/**
 * The check type that a word of the command line names; every type where it names none, or is an alias. A type that is
 * loaded alone starts in half the time: its folder is called as it is.
 */
export async function checkTypesFor(word: string | undefined): Promise<readonly CheckType[]> {
  const isName = word !== undefined && /^[a-z][a-z\d]*$/.test(word);
  const module = new URL(`../../checks/${word}/${word}.ts`, import.meta.url);
  if (!isName || !existsSync(module)) return (await import('../../checks/registry.ts')).checkTypes;
  // What a folder of checks exports under its name is its check type: a test compares them with the registry.
  const { [word]: check } = (await import(module.href)) as Readonly<Record<string, CheckType>>;
  return check ? [check] : [];
}
