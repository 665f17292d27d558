// docs/notifiers.md, made of the schemas and the notes of each kind.
import { fieldsOf, type Field } from '../src/core/fields.ts';
import { writtenSchemaOf } from '../src/config/schema-places.ts';
import type { NotifierType } from '../src/notify/notifier.ts';
import { notifierTypes } from '../src/notify/registry.ts';

export const notifiersFile = new URL('../docs/notifiers.md', import.meta.url);

const head = `# Notifiers

Made by \`npm run docs\` out of what each kind declares: change it there.

A notifier stands under \`notifiers:\` of a server's configuration ([configuration.md](configuration.md)), with its \`name\`, its \`kind\` and
its \`options\`. Secrets come from files or variables: \`\${file:/run/secrets/slack}\`. They are shown nowhere.

\`watchkeeper notify test NAME\` sends a problem and its recovery, and shows what the provider answers.

All of them share:

- **At least once.** A message that was not taken is tried again after 5 s, 10 s, 20 s … 15 min, for 24 h; \`Retry-After\` wins. After a crash
  in the middle of sending it may come twice, with the same id.
- **A notifier that needs somebody** (401, 403, 404, 410, a redirect, a target that the egress policy denies) is *broken*: the log says so,
  the fallback gets its messages after two minutes, and it is asked again each 15 minutes.
- **A text that is not taken** (400, 413, 422) is sent once more in a short form: the headline and the link.
- **Never a storm.** Beyond \`perMinute\`, after an outage of the provider, and at the end of quiet hours one digest tells what is so then.
- **Nothing in a name does anything.** Control characters are shown as �, markup is escaped, nobody is mentioned.
- Redirects are not followed, and of an answer 64 KiB are read.
`;

/** The whole document. */
export function notifiersDocument(): string {
  return [head, ...notifierTypes.map(sectionOf)].join('\n');
}

function sectionOf({ kind, title, summary, notes, options, rate, tracksIncidents }: NotifierType): string {
  const { properties = {} } = writtenSchemaOf(options);
  const rows = fieldsOf(options).map((field) => rowOf(field, properties[field.path.join('.')]?.example));
  const pace = `At most ${rate.burst} messages at once and ${Math.round(rate.perSecond * 60)} a minute.`;
  const every = tracksIncidents === true ? ['Each message reaches it: none goes into a digest.'] : [];
  return `## ${title}

${summary} \`kind: ${kind}\`

${[...notes, ...every, pace].map((note) => `- ${note}`).join('\n')}

| option | default | example | meaning |
|---|---|---|---|
${rows.join('\n')}
`;
}

function rowOf(field: Field, example: string | undefined): string {
  const { path, required, default: given, description, secret, choices } = field;
  const name = path.join('.');
  const fallback = required ? 'required' : isNothing(given) ? '' : code(textOf(given));
  const words = choices ? `; one of ${choices.map(code).join(', ')}` : '';
  const shown = example === undefined ? '' : code(`${name}: ${example}`);
  const cells = [code(name), fallback, shown, `${description}${words}${secret ? ' (secret)' : ''}`];
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

function isNothing(given: unknown): boolean {
  return given === undefined || (typeof given === 'object' && given !== null && Object.keys(given).length === 0);
}

function textOf(given: unknown): string {
  if (typeof given === 'boolean') return given ? 'yes' : 'no';
  return typeof given === 'string' ? given : JSON.stringify(given);
}

function code(text: string): string {
  return `\`${text}\``;
}
