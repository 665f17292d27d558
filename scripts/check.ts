// Types, lint, format and unused code. With --fix, first mends what can be mended by itself.
import { spawnSync } from 'node:child_process';

const folders = ['src', 'web', 'test', 'bench', 'scripts'];
const mend = [
  ['oxlint', '--type-aware', '--fix', ...folders],
  ['oxfmt', ...folders],
];
const check = [
  ['tsc'],
  ['tsc', '-p', 'web'],
  ['oxlint', '--type-aware', '--deny-warnings', ...folders],
  ['oxfmt', '--check', ...folders],
  ['knip'],
];

for (const [program = '', ...args] of process.argv.includes('--fix') ? [...mend, ...check] : check) {
  console.log(`> ${[program, ...args].join(' ')}`);
  const { status } = spawnSync(program, args, { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
