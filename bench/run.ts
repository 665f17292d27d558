// npm run bench [-- NAME …]: every figure that we claim, or the named ones, each in a process of its own.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { basename } from 'node:path';

const own = basename(import.meta.filename, '.ts');
const all = globSync('*.ts', { cwd: import.meta.dirname })
  .map((file) => basename(file, '.ts'))
  .filter((name) => name !== own)
  .toSorted();
const wanted = process.argv.length > 2 ? process.argv.slice(2) : all;

const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}; there are ${all.join(', ')}.`);
  process.exit(1);
}
console.log(`${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`);
for (const name of wanted) {
  console.log(`\n${name} (load ${loadavg()[0]?.toFixed(1)})`);
  const command = ['--disable-warning=ExperimentalWarning', `${import.meta.dirname}/${name}.ts`];
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
