import { de } from './texts-de.ts';
import { en, type Texts } from './texts-en.ts';

const tables: Readonly<Record<string, Texts>> = { en, de };

/** The language of the browser, where there is a table of it. */
export const language =
  navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tables[tag] !== undefined) ?? 'en';
export const texts: Texts = tables[language] ?? en;
document.documentElement.lang = language;

const unitsMs = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** `14 min`, in the largest unit of which there is one. */
export function ageText(ms: number): string {
  for (const [unit, unitMs] of unitsMs)
    if (ms >= unitMs) return numberIn(Math.floor(ms / unitMs), { style: 'unit', unit, unitDisplay: 'short' });
  return texts.ageNow;
}

export function latencyText(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  if (ms >= 1000) return numberIn(ms / 1000, { style: 'unit', unit: 'second', maximumFractionDigits: 2 });
  return numberIn(ms, { style: 'unit', unit: 'millisecond', maximumSignificantDigits: ms < 100 ? 2 : 3 });
}

export function numberIn(value: number, options: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(language, options).format(value);
}

const clockOnly = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayAndClock = new Intl.DateTimeFormat(language, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

const hourOnly = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' });
const dayOnly = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' });

/** As short as it tells one time of this range from another. */
export function shortTimeText(at: number, rangeMs: number): string {
  return (rangeMs > 2 * 86_400_000 ? dayOnly : hourOnly).format(at);
}

/** In the zone of whoever looks; with the day unless it is today. */
export function timeText(at: number): string {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  return (isToday ? clockOnly : dayAndClock).format(at);
}
