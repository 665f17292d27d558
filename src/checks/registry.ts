import type { CheckType } from '../core/check.ts';
import { checkModules, findCheckModule, loadCheckType, moduleWords } from './modules.ts';

/** Every check type, loaded. */
export const checkTypes: readonly CheckType[] = await Promise.all(checkModules.map(loadCheckType));

/** Every word that names a check type: its name or an alias, lower case. */
export const checkWords: readonly string[] = checkModules.flatMap(moduleWords);

/** The check type of a word as people write it; undefined if there is none. */
export function findCheckType(word: string): CheckType | undefined {
  const module = findCheckModule(word);
  return module && checkTypes.find(({ type }) => type === module.type);
}
