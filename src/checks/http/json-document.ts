import type { JSONValue } from 'json-p3';

/** Deeper than anything a person writes, and shallow enough for whatever walks the document. */
const maxDepth = 200;

/** @throws when the text is no JSON, or nested too deep */
export function parseJson(text: string): JSONValue {
  if (isTooDeep(text)) throw new Error(`expected JSON at most ${maxDepth} levels deep`);
  // Whatever JSON.parse gives is a JSON value.
  return JSON.parse(text) as JSONValue;
}

/** Counts brackets outside strings, before any memory is spent on what they hold. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === '[' || token === '{') depth += 1;
    if (token === ']' || token === '}') depth -= 1;
    if (depth > maxDepth) return true;
  }
  return false;
}
