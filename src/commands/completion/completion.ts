import type { Command } from 'commander';
import { AppError } from '../../core/errors.ts';
import { bashScript } from './completion-bash.ts';
import { fishScript } from './completion-fish.ts';
import { zshScript } from './completion-zsh.ts';
import type { Place } from './place.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
export const shells = Object.keys(scripts) as readonly (keyof typeof scripts)[];

/** The completion script of a shell, for every command as it stands. @throws {AppError} usage */
export function completionScript(shell: string, program: Command): string {
  const known = shells.find((name) => name === shell);
  if (!known) throw new AppError('usage', `expected ${shells.join(', ')}, got ${JSON.stringify(shell)}`);
  return scripts[known](placesOf(program, []));
}

function placesOf(command: Command, path: readonly string[]): readonly Place[] {
  const commands = command.commands.flatMap((inner) =>
    [inner.name(), ...inner.aliases()].map((word) => ({ word, inner })),
  );
  const flags = command.createHelp().visibleOptions(command);
  const here: Place = {
    path,
    candidates: [
      ...commands.map(({ word, inner }) => ({ word, meaning: inner.description() })),
      ...flags.map(({ long, description }) => ({ word: long ?? '', meaning: description })),
    ],
    values: new Map(flags.flatMap(({ long, argChoices }) => (long && argChoices?.length ? [[long, argChoices]] : []))),
    takesFile: command.registeredArguments.some((argument) => argument.name() === 'file'),
  };
  return [here, ...commands.flatMap(({ word, inner }) => placesOf(inner, [...path, word]))];
}
