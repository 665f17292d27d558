/** Whether data out of JSON has at most so many levels of lists and mappings. Looks no deeper, so that it cannot overflow the stack. */
export function hasAtMostLevels(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => hasAtMostLevels(levels - 1, inner));
}

/** How many values there are in data out of JSON whose depth is bounded, lists and mappings included. */
export function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, inner) => sum + valuesIn(inner), 1);
}

/** Whether a mapping in data out of JSON whose depth is bounded has this key. */
export function hasKey(key: string, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, key) || Object.values(value).some((inner) => hasKey(key, inner));
}
