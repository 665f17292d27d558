import { RE2JS } from 're2js';

const maxCachedPatterns = 1000;
const cache = new Map<string, RE2JS>();

/** A regular expression that takes linear time whatever the text (RE2 syntax). @throws when it is none */
export function compilePattern(pattern: string): RE2JS {
  const known = cache.get(pattern);
  if (known) return known;
  const compiled = RE2JS.compile(pattern);
  const [oldest] = cache.keys();
  if (cache.size >= maxCachedPatterns && oldest !== undefined) cache.delete(oldest);
  cache.set(pattern, compiled);
  return compiled;
}
