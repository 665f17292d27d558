import type { Command, Option } from 'commander';
import { AppError } from '../../core/errors.ts';
import { quoted } from '../../core/quoted.ts';
import { bashScript } from './completion-bash.ts';
import { fishScript } from './completion-fish.ts';
import { zshScript } from './completion-zsh.ts';
import type { CommandPlace, Value } from './place.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
export const shells = Object.keys(scripts) as readonly (keyof typeof scripts)[];

/** The completion script of a shell, for every command as it stands. @throws {AppError} usage */
export function completionScript(shell: string, program: Command): string {
  const known = shells.find((name) => name === shell);
  if (!known) throw new AppError('usage', `expected ${shells.join(', ')}, got ${quoted(shell)}`);
  return scripts[known](placesOf(program, []));
}

function placesOf(command: Command, path: readonly string[]): readonly CommandPlace[] {
  const commands = command.commands.flatMap((inner) =>
    [inner.name(), ...inner.aliases()].map((word) => ({ word, inner })),
  );
  const flags = command.createHelp().visibleOptions(command);
  const here: CommandPlace = {
    path,
    candidates: [
      ...commands.map(({ word, inner }) => ({ word, meaning: inner.description() })),
      ...command.registeredArguments.flatMap(({ argChoices = [], description }) =>
        argChoices.map((word) => ({ word, meaning: description })),
      ),
      ...flags.map((flag) => ({ word: wordOf(flag), meaning: flag.description })),
    ],
    values: new Map(flags.filter(({ required }) => required).map((flag) => [wordOf(flag), valueOf(flag)])),
    takesFile: command.registeredArguments.some((argument) => isPath(argument.name())),
  };
  return [here, ...commands.flatMap(({ word, inner }) => placesOf(inner, [...path, word]))];
}

/** `-4` has no long form. */
function wordOf({ long, short }: Option): string {
  return long ?? short ?? '';
}

function valueOf({ flags, argChoices = [] }: Option): Value {
  return { words: argChoices, isPath: isPath(/<(.+)>/.exec(flags)?.[1] ?? '') };
}

function isPath(placeholder: string): boolean {
  return placeholder.startsWith('file') || placeholder === 'folder';
}
