// npm run new check NAME: makes src/checks/NAME with its test, and its line in src/checks/modules.ts.
import { cpSync, existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const checks = resolve(import.meta.dirname, '../src/checks');
const [kind, name = ''] = process.argv.slice(2);

if (kind !== 'check' || !/^[a-z][a-z0-9]{1,19}$/.test(name)) {
  fail(
    `usage: npm run new check NAME, with a name of 2 to 20 small letters and digits; got ${process.argv.slice(2).join(' ') || 'nothing'}`,
  );
}
const folder = resolve(checks, name);
if (existsSync(folder)) fail(`src/checks/${name} is there already`);

// A short name is an abbreviation: SMTP, but Certificate.
const title = name.length <= 5 ? name.toUpperCase() : `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
cpSync(resolve(checks, '_template'), folder, { recursive: true });
for (const file of readdirSync(folder)) {
  const renamed = resolve(folder, file.replace('template', name));
  renameSync(resolve(folder, file), renamed);
  rewrite(renamed, (text) => text.replaceAll('template', name).replaceAll('Template', title));
}
const line = `  { type: '${name}', load: () => import('./${name}/${name}.ts') },\n`;
rewrite(resolve(checks, 'modules.ts'), (text) =>
  text.replace(/(?<=CheckModule\[\] = \[\n)[^]*?(?=\];)/, (lines) =>
    lines
      .split(/(?<=\n)/)
      .concat(line)
      .toSorted()
      .join(''),
  ),
);
console.log(
  `Made src/checks/${name} and its line in src/checks/modules.ts. Next: write ${name}.ts and ${name}.test.ts, then npm run docs and npm test.`,
);

function rewrite(file: string, change: (text: string) => string): void {
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  if (after === before) fail(`${file} is not what this script expects; nothing was added to it`);
  writeFileSync(file, after);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
