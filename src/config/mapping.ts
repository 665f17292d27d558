export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Both, the second winning; in groups like `tls` key by key. */
export function merged(first: Mapping, second: Mapping): Mapping {
  const groups = Object.entries(second).map(([key, value]) => {
    const before = first[key];
    return [key, isMapping(before) && isMapping(value) ? { ...before, ...value } : value] as const;
  });
  return { ...first, ...Object.fromEntries(groups) };
}
