// npm run docs: writes docs/checks.md, docs/configuration.md and docs/notifiers.md out of the schemas; a test fails when a file is not what this makes.
import { writeFileSync } from 'node:fs';
import { findCheckModule, isPassiveType } from '../src/checks/modules.ts';
import { checkTypes } from '../src/checks/registry.ts';
import { defaultOf, switchOf } from '../src/commands/check/check-options.ts';
import type { CheckType } from '../src/core/check.ts';
import { formatDuration } from '../src/core/duration.ts';
import { fieldsOf, type Field, type FieldKind } from '../src/core/fields.ts';
import { configurationDocument, configurationFile } from './configuration-docs.ts';
import { notifiersDocument, notifiersFile } from './notifier-docs.ts';

export const checksFile = new URL('../docs/checks.md', import.meta.url);

const head = `# Check types

Made by \`npm run docs\` out of the options and metrics that each type declares: change them there.

In a configuration an option stands under \`options:\`, as \`tls: { minVersion: TLSv1.3 }\` for \`tls.minVersion\`; on the command
line it is a flag. Durations are written \`500ms\`, \`3s\`, \`5m\`; a bare number is seconds. Under \`degraded\` and \`down\` stand the
figures from which on a run is that.
`;

/** The whole document. */
export function checksDocument(): string {
  return [head, ...checkTypes.map(sectionOf)].join('\n');
}

function sectionOf(check: CheckType): string {
  const { type, title, summary, targetSyntax, defaultTimeoutMs } = check;
  const { aliases } = findCheckModule(type) ?? {};
  const also = aliases ? ` (also ${aliases.map(code).join(', ')})` : '';
  const extra = check.plannedMs || check.sendingMs ? ', and the time that its own count and interval take' : '';
  const usage = `\`watchkeeper check ${type} ${targetSyntax}\`${also}; timeout ${formatDuration(defaultTimeoutMs)}${extra}, or 0.8 of the interval if that is shorter, unless said otherwise.`;
  const metrics = check.metrics.map(({ name, unit, meaning }) => row([code(name), unit, meaning]));
  return `## ${title}

${summary}

${isPassiveType(type) ? 'See [heartbeats.md](heartbeats.md).' : usage}

| option | flag | kind | default | meaning |
|---|---|---|---|---|
${fieldsOf(check.options).map(optionRow).join('\n')}

| metric | unit | meaning |
|---|---|---|
${metrics.join('\n')}
`;
}

function optionRow(field: Field): string {
  const fallback = field.required ? 'required' : (defaultOf(field) ?? '');
  const shown = fallback === '' || field.required ? fallback : code(fallback);
  return row([code(field.path.join('.')), code(switchOf(field)), kindOf(field), shown, field.description]);
}

const kinds: Readonly<Record<FieldKind, string>> = {
  text: 'text',
  number: 'number',
  boolean: 'yes or no',
  choice: 'one of',
  duration: 'duration',
  list: 'list of texts',
  record: 'mapping of texts',
  structured: 'YAML',
};

function kindOf(field: Field): string {
  const { kind, choices, default: fallback } = field;
  if (kind === 'number' || kind === 'duration') return `${kinds[kind]}${rangeOf(field)}`;
  if (kind === 'boolean') return fallback === true ? 'yes or no, yes by default' : kinds.boolean;
  const words = choices?.map(code).join(', ');
  return words === undefined ? kinds[kind] : `${kind === 'list' ? 'some of' : 'one of'} ${words}`;
}

function rangeOf({ kind, minimum, maximum }: Field): string {
  if (minimum === undefined || maximum === undefined) return '';
  const [from, to] = [minimum, maximum].map((limit) => (kind === 'duration' ? formatDuration(limit) : String(limit)));
  return `, ${from} to ${to}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) {
  writeFileSync(checksFile, checksDocument());
  writeFileSync(configurationFile, configurationDocument());
  writeFileSync(notifiersFile, notifiersDocument());
}
