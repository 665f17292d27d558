import type { JSONValue } from 'json-p3';

/** Deeper than anything a person writes, and shallow enough for whatever walks the document. */
const maxDepth = 200;

/** @throws when the text is no JSON, or nested too deep */
export function parseJson(text: string): JSONValue {
  if (isTooDeep(text)) throw new Error(`expected JSON at most ${maxDepth} levels deep`);
  // Whatever JSON.parse gives is a JSON value.
  return JSON.parse(text) as JSONValue;
}

/** Counts brackets outside strings, before any memory is spent on their contents. One pass, whatever the text. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (isInString) {
      if (character === '\\') index++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    if (depth > maxDepth) return true;
  }
  return false;
}
