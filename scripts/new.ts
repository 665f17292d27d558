// npm run new check NAME and npm run new notifier NAME: make the folder of it with its test, and its line in the registry.
import { cpSync, existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

interface Kind {
  readonly room: string;
  readonly registry: string;
  /** The text of the registry with the new one in it. */
  readonly add: (text: string, name: string) => string;
}

const kinds: Readonly<Record<string, Kind>> = {
  check: { room: 'src/checks', registry: 'src/checks/modules.ts', add: addModule },
  notifier: { room: 'src/notify', registry: 'src/notify/registry.ts', add: addNotifier },
};

const root = resolve(import.meta.dirname, '..');
const [word = '', name = ''] = process.argv.slice(2);
const kind = Object.hasOwn(kinds, word) ? kinds[word] : undefined;

if (!kind || !/^[a-z][a-z0-9]{1,19}$/.test(name)) {
  const got = process.argv.slice(2).join(' ') || 'nothing';
  fail(`usage: npm run new check|notifier NAME, with a name of 2 to 20 small letters and digits; got ${got}`);
}
const { room, registry, add } = kind;
const folder = resolve(root, room, name);
if (existsSync(folder)) fail(`${room}/${name} is there already`);

// A short name is an abbreviation: SMTP, but Certificate.
const title = name.length <= 5 ? name.toUpperCase() : `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
cpSync(resolve(root, room, '_template'), folder, { recursive: true });
for (const file of readdirSync(folder)) {
  const renamed = resolve(folder, file.replace('template', name));
  renameSync(resolve(folder, file), renamed);
  rewrite(renamed, (text) => text.replaceAll('template', name).replaceAll('Template', title));
}
rewrite(resolve(root, registry), (text) => add(text, name));
console.log(
  `Made ${room}/${name} and its line in ${registry}. Next: write ${name}.ts and ${name}.test.ts, then npm run docs and npm test.`,
);

function addModule(text: string, name: string): string {
  const line = `  { type: '${name}', load: () => import('./${name}/${name}.ts') },\n`;
  return text.replace(/(?<=CheckModule\[\] = \[\n)[^]*?(?=\];)/, (lines) => withLine(lines, line));
}

function addNotifier(text: string, name: string): string {
  return text
    .replace(/^(?:import .*\n)+/, (lines) => `${lines}import { ${name} } from './${name}/${name}.ts';\n`)
    .replace(/(?<=NotifierType\[\] = \[\n)[^]*?(?=\];)/, (lines) => withLine(lines, `  ${name},\n`));
}

function withLine(lines: string, line: string): string {
  return lines
    .split(/(?<=\n)/)
    .concat(line)
    .toSorted()
    .join('');
}

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
