// The parts of docs/configuration.md that come from the schemas; the text around them is in configuration-text.ts.
import { z } from 'zod';
import { egressSchema } from '../src/config/egress-section.ts';
import { entrySchema, sharedShape } from '../src/config/monitor-entry.ts';
import { writtenSchemaOf, type PlaceSchema } from '../src/config/schema-places.ts';
import { notifierEntrySchema, quietHoursSchema } from '../src/config/notifiers-section.ts';
import { policySchema, roomEntrySchema } from '../src/config/rooms-section.ts';
import { sensorEntrySchema } from '../src/config/sensors-section.ts';
import { agentsSchema, deadmanSchema, retentionSchema, tlsSchema } from '../src/config/server-section.ts';
import { formatDuration } from '../src/core/duration.ts';
import { windowEntrySchema } from '../src/config/windows-section.ts';
import { fieldsOf } from '../src/core/fields.ts';
import { sensorTypes } from '../src/sensors/registry.ts';
import { configurationText, type Tables } from './configuration-text.ts';

export const configurationFile = new URL('../docs/configuration.md', import.meta.url);

/** The whole document. */
export function configurationDocument(): string {
  return configurationText(tables());
}

function tables(): Tables {
  return {
    monitors: keyTable(entrySchema),
    defaults: keyTable(z.strictObject(sharedShape)),
    egress: keyTable(egressSchema),
    agents: keyTable(agentsSchema.element),
    tls: keyTable(tlsSchema),
    retention: keyTable(retentionSchema),
    deadman: keyTable(deadmanSchema),
    sensors: keyTable(sensorEntrySchema),
    rooms: keyTable(roomEntrySchema),
    policies: keyTable(policySchema),
    windows: keyTable(windowEntrySchema),
    notifiers: keyTable(notifierEntrySchema),
    quietHours: keyTable(quietHoursSchema),
    sensorOptions: sensorTypes.map((sensor) => sensorSection(sensor)).join('\n'),
  };
}

const head = '| key | kind | default | example | meaning |\n|---|---|---|---|---|\n';

function keyTable(schema: z.ZodObject): string {
  const { properties = {}, required = [] } = writtenSchemaOf(schema);
  const rows = Object.entries(properties).map(([key, property]) => {
    const isRequired = required.includes(key);
    const given: unknown = schema.shape[key]?.safeParse(undefined).data;
    return keyRow(key, property, isRequired ? 'required' : defaultText(property, given));
  });
  return head + rows.join('\n');
}

function keyRow(key: string, property: PlaceSchema, fallback: string): string {
  const { description = '', example } = property;
  return row([
    code(key),
    kindOf(property),
    fallback,
    example === undefined ? '' : code(`${key}: ${example}`),
    description,
  ]);
}

function defaultText({ format }: PlaceSchema, given: unknown): string {
  if (given === undefined || (Array.isArray(given) && given.length === 0)) return '';
  if (format === 'duration') return code(formatDuration(Number(given)));
  return typeof given === 'boolean' ? (given ? 'yes' : 'no') : code(JSON.stringify(given));
}

function kindOf({ type, format, items, enum: choices, minimumMs, maximumMs }: PlaceSchema): string {
  if (format === 'duration' && minimumMs !== undefined && maximumMs !== undefined)
    return `duration, ${formatDuration(minimumMs)} to ${formatDuration(maximumMs)}`;
  if (type === 'array') return items?.type === 'string' ? 'list of texts' : 'list';
  if (type === 'boolean') return 'yes or no';
  if (type === 'string' && choices) return `one of ${choices.map((choice) => code(String(choice))).join(', ')}`;
  if (type === 'string') return format === 'date-time' ? 'time' : 'text';
  return 'mapping';
}

function sensorSection({ type, options }: (typeof sensorTypes)[number]): string {
  const rows = fieldsOf(options).map(({ path, kind, choices, default: given, description }) => {
    const words = choices ? `one of ${choices.map(code).join(', ')}` : kind;
    return row([code(path.join('.')), words, given === undefined ? '' : code(JSON.stringify(given)), description]);
  });
  if (rows.length === 0) return `\`${type}:\` takes no options.\n`;
  return `Options of \`${type}:\`\n\n| option | kind | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}
