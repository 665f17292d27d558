import type { Candidate, CommandPlace } from './place.ts';

/** A script for zsh: to be sourced, or put as `_watchkeeper` into a folder of `fpath`. */
export function zshScript(places: readonly CommandPlace[]): string {
  const longestFirst = places.toSorted((one, other) => other.path.length - one.path.length);
  return `#compdef watchkeeper
# Completion of watchkeeper for zsh: source <(watchkeeper completion zsh)
_watchkeeper() {
  local place= files=
  local -a found
  case "\${(j: :)words[2,CURRENT-1]} " in
${longestFirst.map(placeCase).join('\n')}
  esac
  case "$place:\${words[CURRENT-1]}" in
${places.flatMap(valueCases).join('\n')}
  esac
  _describe watchkeeper found
  if [[ -n $files ]]; then _files; fi
}
if [[ $funcstack[1] == _watchkeeper ]]; then _watchkeeper "$@"; else compdef _watchkeeper watchkeeper; fi
`;
}

function placeCase({ path, candidates, takesFile }: CommandPlace): string {
  const pattern = path.length === 0 ? '*' : `"${path.join(' ')} "*`;
  const found = candidates.map(described).join(' ');
  return `    ${pattern}) place='${path.join(' ')}'; found=(${found})${takesFile ? '; files=yes' : ''} ;;`;
}

function valueCases({ path, values }: CommandPlace): readonly string[] {
  return Array.from(
    values,
    ([flag, { words, isPath }]) =>
      `    '${path.join(' ')}:${flag}') found=(${words.join(' ')}); files=${isPath ? 'yes' : ''} ;;`,
  );
}

/** `'word:meaning'`, with the colons of the word escaped. */
function described({ word, meaning }: Candidate): string {
  return quoted(`${word.replaceAll(':', String.raw`\:`)}:${meaning}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
