import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';
import { Terminal } from './terminal.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const run = promisify(execFile);
const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** What each shell offers for the last word of a line, asked of the real shell. */
const asking: Readonly<Record<Shell, (script: string, line: readonly string[]) => Promise<string>>> = {
  async bash(script, line) {
    const ask = `source ${script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _watchkeeper; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await run('bash', ['--norc', '-c', ask, 'bash', ...line])).stdout;
  },
  async zsh(script, line) {
    // The function that shows candidates prints them; the rest is zsh's own.
    const ask = `compdef() { : }; _files() { print -l *(N) }; _describe() { local c; for c in "\${(@P)2}"; do print -r -- "\${c%%:*}"; done }
      source ${script}; words=("$@"); CURRENT=$#; _watchkeeper`;
    return (await run('zsh', ['-f', '-c', ask, 'zsh', ...line])).stdout;
  },
  async fish(script, line) {
    const ask = `source ${script}; complete -C "$argv"`;
    const { stdout } = await run('fish', ['--no-config', '-c', ask, line.join(' ')]);
    return stdout.replaceAll(/\t.*/g, '');
  },
};

let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watchkeeper-completion-'));
  for (const shell of shells) {
    const { stdout, code } = await runWatchkeeper(['completion', shell]);
    assert.equal(code, 0);
    await writeFile(join(folder, shell), stdout);
  }
});
after(() => removeFolder(folder));

const cases: readonly (readonly [string, string, readonly string[]])[] = [
  ['a command', 'watchkeeper che', ['check']],
  ['a check type', 'watchkeeper check dn', ['dns']],
  ['an alias of a check type', 'watchkeeper check https', ['https']],
  ['an option of a check type', 'watchkeeper check dns example.org --rec', ['--record']],
  ['a nested option', 'watchkeeper check https example.org --tls-min', ['--tls-min-version']],
  ['the choices of an option', 'watchkeeper check echo --protocol ', ['tcp', 'udp']],
  ['the options of the run', 'watchkeeper check tcp localhost:80 --js', ['--json']],
  ['an option of a command', 'watchkeeper run --fo', ['--for']],
  ['the states of a filter', 'watchkeeper tasks --state d', ['degraded', 'down']],
  ['an option of results', 'watchkeeper results door --si', ['--since']],
  ['a command over monitors', 'watchkeeper pau', ['pause']],
  ['CH10: a shell', 'watchkeeper completion z', ['zsh']],
  ['CH10: nothing where nothing is known', 'watchkeeper check tcp localhost --port ', ['']],
];

for (const shell of shells) {
  describe(`D4: the command line completes words in ${shell}`, () => {
    const isMissing = !hasProgram(shell);
    for (const [what, line, expected] of cases) {
      test(`${what}: ${line}`, async (t) => {
        if (isMissing) return t.skip(`${shell} is not installed`);
        const typed = line.split(' ');
        const offered = (await asking[shell](join(folder, shell), typed)).trim().split('\n');
        const fitting = offered.filter((word) => word.startsWith(typed.at(-1) ?? ''));
        assert.deepEqual(new Set(fitting), new Set(expected));
      });
    }
  });
}

test('CH10: in a real bash a folder ends in a slash without a blank, and names with blanks are escaped', async (t) => {
  const files = join(folder, 'files');
  await mkdir(join(files, 'deep'), { recursive: true });
  await writeFile(join(files, 'deep', 'my office.yaml'), '');
  if (!hasProgram('bash')) return t.skip('bash is not installed');
  using terminal = new Terminal(`cd ${files}; PS1='% ' bash --norc --noprofile -i`);
  await terminal.until(/^% *$/m);
  terminal.press(`source ${join(folder, 'bash')}`, 'Enter', 'watchkeeper run de', 'Tab');
  await terminal.until(/^% watchkeeper run deep\/$/m);
  terminal.press('m', 'Tab');
  await terminal.until(/^% watchkeeper run deep\/my\\ office\.yaml$/m);
  terminal.press('C-u', 'watchkeeper serve --data de', 'Tab');
  await terminal.until(/^% watchkeeper serve --data deep\/$/m);
});

test('a shell that has no script is named, with those that have one', async () => {
  const { code, stderr } = await runWatchkeeper(['completion', 'tcsh']);
  assert.equal(code, 3);
  assert.match(stderr, /expected bash, zsh, fish, got "tcsh"/);
});

function hasProgram(name: string): boolean {
  try {
    execFileSync(name, ['-c', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
