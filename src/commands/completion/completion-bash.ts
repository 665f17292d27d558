import type { CommandPlace } from './place.ts';

/** A script for bash; it works without the bash-completion package. */
export function bashScript(places: readonly CommandPlace[]): string {
  return `# Completion of watchkeeper for bash: source <(watchkeeper completion bash)
_watchkeeper() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} place= words= files=
  case "\${COMP_WORDS[*]:1:COMP_CWORD-1} " in
${longestFirst(places).map(placeCase).join('\n')}
  esac
  case "$place:$before" in
${places.flatMap(valueCases).join('\n')}
  esac
  local IFS=$'\\n'
  COMPREPLY=($(IFS=' ' compgen -W "$words" -- "$current"))
  if [[ $files ]]; then
    # A folder ends in a slash and no blank, and a blank in a name is escaped.
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}
complete -F _watchkeeper watchkeeper
`;
}

/** The first case that fits counts, so the longer path stands before the shorter. */
function longestFirst(places: readonly CommandPlace[]): readonly CommandPlace[] {
  return places.toSorted((one, other) => other.path.length - one.path.length);
}

function placeCase({ path, candidates, takesFile }: CommandPlace): string {
  const words = candidates.map(({ word }) => word).join(' ');
  const pattern = path.length === 0 ? '*' : `"${path.join(' ')} "*`;
  return `    ${pattern}) place="${path.join(' ')}" words="${words}"${takesFile ? ' files=yes' : ''} ;;`;
}

function valueCases({ path, values }: CommandPlace): readonly string[] {
  return Array.from(
    values,
    ([flag, { words, isPath }]) =>
      `    "${path.join(' ')}:${flag}") words="${words.join(' ')}" files=${isPath ? 'yes' : ''} ;;`,
  );
}
