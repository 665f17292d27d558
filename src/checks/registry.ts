import type { CheckType } from '../core/check.ts';
import { checkModules, findCheckModule, loadCheckType, moduleWords, runnableModules } from './modules.ts';

/** Every check type, loaded. */
export const checkTypes: readonly CheckType[] = await Promise.all(checkModules.map(loadCheckType));

/** Every word that names a check type: its name or an alias, lower case. */
export const checkWords: readonly string[] = checkModules.flatMap(moduleWords);

/** Those of types that can be run. */
export const runnableWords: readonly string[] = runnableModules.flatMap(moduleWords);

const byType: ReadonlyMap<string, CheckType> = new Map(checkTypes.map((check) => [check.type, check]));

/** The check type of a word as people write it; undefined if there is none. */
export function findCheckType(word: string): CheckType | undefined {
  return byType.get(word) ?? byType.get(findCheckModule(word)?.type ?? '');
}
