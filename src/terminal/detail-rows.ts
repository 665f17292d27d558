import type { JsonValue } from '../core/outcome.ts';
import { printable } from '../core/printable.ts';
import { widthOf } from './text.ts';
import { formatNamed, nameWords } from './units.ts';

/** A line of evidence: a label that is empty where the one above still holds, and a value. */
export interface DetailRow {
  readonly label: string;
  readonly value: string;
}

interface Setting {
  /** Columns that a value may take; what needs more is shown entry by entry. */
  readonly room: number;
  /** Values that were shown before, as JSON. */
  readonly told: ReadonlySet<string>;
}

/** Evidence that fills a screen, and that few runs are read for. */
const onRequest: ReadonlySet<string> = new Set([
  'additionals',
  'authorities',
  'certificates',
  'cookies',
  'edns',
  'headers',
  'packets',
  'responseHeaders',
]);

/** Details for programs, or told packet by packet already: shown only on request, and nothing says that they are hidden. */
const forPrograms: ReadonlySet<string> = new Set(['pathHash', 'rttsMs']);

/** Whether a person is told that there is such a detail to see. */
export function isWorthAskingFor(key: string): boolean {
  return onRequest.has(key);
}

/** Whether the detail of this name is shown only to who asks for everything. */
export function isShownOnRequest(key: string): boolean {
  return onRequest.has(key) || forPrograms.has(key);
}

/** Deeper values are written in one line. */
const maxLevels = 4;

/** A detail as rows under its name: short values in one row, long lists and mappings an entry a row. */
export function detailRows(
  [key, value]: readonly [name: string, value: JsonValue],
  setting: Setting,
  level = 0,
): readonly DetailRow[] {
  const label = `${'  '.repeat(level)}${printable(nameWords(key))}`;
  const text = flat(key, value);
  if (isList(value) && value.some(isStructure)) return listRows(label, value, { ...setting, level });
  if (!isStructure(value) || isList(value) || level >= maxLevels || widthOf(text) <= setting.room)
    return [{ label, value: text }];
  return [{ label, value: '' }, ...Object.entries(value).flatMap((entry) => detailRows(entry, setting, level + 1))];
}

/** Items that fit are a row each; a longer one is a number, and its entries below. */
function listRows(
  label: string,
  items: readonly JsonValue[],
  setting: Setting & { readonly level: number },
): readonly DetailRow[] {
  const { room, told, level } = setting;
  const news = items.filter((item) => !told.has(JSON.stringify(item)));
  const rows: DetailRow[] = [];
  for (const [index, item] of news.entries()) {
    const text = flat('', item);
    const isOpened = isStructure(item) && !isList(item) && level < maxLevels && widthOf(text) > room;
    rows.push({ label: index === 0 ? label : '', value: isOpened ? `${index + 1} of ${news.length}` : text });
    if (!isOpened) continue;
    for (const entry of Object.entries(item)) rows.push(...detailRows(entry, setting, level + 1));
  }
  return rows;
}

/** A value in words, without the punctuation of JSON. */
function flat(key: string, value: JsonValue): string {
  if (value === null) return '-';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return printable(value);
  if (typeof value === 'number') return formatNamed(key, value);
  if (isList(value)) return value.map((item) => flat(key, item)).join(', ');
  return Object.entries(value)
    .map(([inner, child]) => `${printable(nameWords(inner))} ${flat(inner, child)}`)
    .join(', ');
}

function isStructure(value: JsonValue): value is readonly JsonValue[] | { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null;
}

// Array.isArray alone does not narrow a readonly array.
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
