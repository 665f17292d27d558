import type { Message } from '../core/message.ts';

/** A message as it is shown: texts are safe (no control characters, bounded), not escaped for any channel. */
export interface MessageContent {
  readonly title: string;
  /** Under the title, in their order. */
  readonly lines: readonly ContentLine[];
  readonly links: readonly ContentLink[];
}

export interface ContentLine {
  readonly label: string;
  readonly text: string;
}

export interface ContentLink {
  readonly label: string;
  readonly url: string;
}

const maxTitle = 500;
const maxText = 4000;
const maxLabel = 60;
const maxLines = 40;

// Control characters, line separators, and the marks that change writing direction.
// oxlint-disable-next-line no-control-regex -- these are the characters to find
const unseen = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text from outside as one line that people can read: each character that would act instead of being seen is `�`. */
export function visible(text: string, limit: number): string {
  // Beyond twice the limit nothing of it is shown: a character has at most two units.
  return cutText(
    text
      .slice(0, limit * 2 + 2)
      .toWellFormed()
      .replaceAll(unseen, '�'),
    limit,
  );
}

const cutMark = '… (cut, full text behind the link)';

/** Size of one character in the measure of a provider. */
export type SizeOf = (character: string) => number;

export const utf16Size: SizeOf = ({ length }) => length;
export const byteSize: SizeOf = (character) => Buffer.byteLength(character);

/** The text if it fits, else as many whole characters as fit together with a mark that it is cut. */
export function cutText(text: string, limit: number, sizeOf: SizeOf = utf16Size): string {
  const mark = sizeOfText(cutMark, sizeOf) * 4 <= limit ? cutMark : '…';
  const room = limit - sizeOfText(mark, sizeOf);
  let kept = '';
  let size = 0;
  for (const character of text) {
    size += sizeOf(character);
    if (size <= room) kept += character;
    if (size > limit) return room < 0 ? '' : kept + mark;
  }
  return text;
}

export function sizeOfText(text: string, sizeOf: SizeOf): number {
  let size = 0;
  for (const character of text) size += sizeOf(character);
  return size;
}

/** What people are shown of a message; in the short form its title and its links alone. */
export function messageContent(
  message: Message,
  { zone, isShort }: { readonly zone: string; readonly isShort: boolean },
): MessageContent {
  const { headline, since, until, verdict, facts, link, ackLink } = message;
  const own = [
    { label: 'Since', text: timeText(since, zone) },
    ...(until === undefined
      ? []
      : [{ label: 'Until', text: `${timeText(until, zone)}, ${lengthText(until - since)}` }]),
    ...(verdict ? [{ label: 'Verdict', text: verdictText[verdict] }] : []),
  ];
  // Times are written in the zone of the reader, so that a fact of the same name is left out.
  const others = facts.filter((fact) => own.every(({ label }) => label !== fact.label));
  const lines = [...own, ...others.slice(0, maxLines)];
  return {
    title: visible(headline, maxTitle),
    lines: isShort
      ? []
      : lines.map(({ label, text }) => ({ label: visible(label, maxLabel), text: visible(text, maxText) })),
    links: [...linkOf('Details', link), ...linkOf('Acknowledge', ackLink)],
  };
}

const verdictText = {
  target: 'the target itself',
  path: 'the network on the way to it',
  observer: 'the agents that watch it',
} as const;

/** Only links that cannot run anything. */
function linkOf(label: string, url: string | undefined): readonly ContentLink[] {
  const parsed = url === undefined ? null : URL.parse(url);
  return parsed?.protocol === 'https:' || parsed?.protocol === 'http:' ? [{ label, url: parsed.href }] : [];
}

/** `2026-11-28 03:13 +01:00 (02:13 UTC)`. */
function timeText(timeMs: number, zone: string): string {
  const utc = Temporal.Instant.fromEpochMilliseconds(Math.round(timeMs)).toZonedDateTimeISO('UTC');
  const local = utc.withTimeZone(zone);
  const shown = `${local.toPlainDate().toString()} ${clockText(local)}`;
  return local.offsetNanoseconds === 0 ? `${shown} UTC` : `${shown} ${local.offset} (${clockText(utc)} UTC)`;
}

function clockText(time: Temporal.ZonedDateTime): string {
  return time.toPlainTime().toString({ smallestUnit: 'minute' });
}

/** `12 min`, `3 h 5 min`, `40 s`. */
function lengthText(lengthMs: number): string {
  const seconds = Math.max(0, Math.round(lengthMs / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  const parts = [
    days > 0 ? `${days} d` : '',
    hours > 0 ? `${hours} h` : '',
    rest > 0 && days === 0 ? `${rest} min` : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** Title, lines and links as plain text, cut to a limit: the links at its end stay whole. */
export function fittedText(content: MessageContent, limit: number, sizeOf: SizeOf = utf16Size): string {
  const { title, lines, links } = content;
  const end = links.map(({ label, url }) => `\n${label}: ${url}`).join('');
  const start = [title, ...lines.map(({ label, text }) => `${label}: ${text}`)].join('\n');
  const room = limit - sizeOfText(end, sizeOf);
  return room < 40 ? cutText(start, limit, sizeOf) : cutText(start, room, sizeOf) + end;
}
