import type { Candidate, CommandPlace, Value } from './place.ts';

/** A script for fish: to be sourced, or kept as `~/.config/fish/completions/watchkeeper.fish`. */
export function fishScript(places: readonly CommandPlace[]): string {
  return `# Completion of watchkeeper for fish: watchkeeper completion fish | source
function __watchkeeper_after
    set -l typed (commandline -opc)[2..]
    test "$typed[1..$(count $argv)]" = "$argv"
end
function __watchkeeper_at
    set -l typed (commandline -opc)[2..]
    test "$typed" = "$argv"
end
complete -c watchkeeper -f
${places.flatMap(placeLines).join('\n')}
`;
}

function placeLines(place: CommandPlace): readonly string[] {
  const path = place.path.join(' ');
  const file = place.takesFile ? [`complete -c watchkeeper -n '__watchkeeper_after ${path}' -F`] : [];
  return [...place.candidates.map((candidate) => candidateLine(candidate, place)), ...file];
}

function candidateLine({ word, meaning }: Candidate, { path, values }: CommandPlace): string {
  const where = path.join(' ');
  const told = `-d ${quoted(meaning)}`;
  if (!word.startsWith('-')) return `complete -c watchkeeper -n '__watchkeeper_at ${where}' -a ${word} ${told}`;
  const value = values.get(word);
  const option = word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`;
  return `complete -c watchkeeper -n '${path.length === 0 ? '__watchkeeper_at' : `__watchkeeper_after ${where}`}' ${option}${value ? takenOf(value) : ''} ${told}`;
}

function takenOf({ words, isPath }: Value): string {
  if (isPath) return ' -r -F';
  return words.length === 0 ? ' -x' : ` -x -a ${quoted(words.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
}
