import { InvalidArgumentError, type Command } from 'commander';
import { checkModules, moduleWords } from '../checks/modules.ts';
import { givenTime } from '../core/iso-time.ts';
import { parseDuration, type Milliseconds } from '../core/duration.ts';
import { statuses, type Status } from '../core/outcome.ts';
import { quoted } from '../core/quoted.ts';
import { sensorNames } from '../core/sensor.ts';
import { endpointOf } from '../core/target.ts';

/** Timers hold no more than 2^31 milliseconds. */
const maxDurationMs = 24 * 86_400_000;

export function durationArgument(text: string): Milliseconds {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs >= 1 && durationMs <= maxDurationMs) return durationMs;
  throw new InvalidArgumentError('Expected a duration from 1ms to 24d, like 10s or 500ms.');
}

/** How long an invitation can be used. */
export function inviteArgument(text: string): Milliseconds {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs >= 1000 && durationMs <= 3_600_000) return durationMs;
  throw new InvalidArgumentError('Expected a duration from 1s to 1h, like 10m.');
}

export function countArgument(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}

/** A port to listen on; 0 takes any free one. */
export function portArgument(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('Expected a port from 0 to 65535.');
}

/** `HOST:PORT`, `HOST` or `:PORT`; what is not said is loopback and the usual port. */
export function listenAddress(text: string, defaultPort: number): { readonly host: string; readonly port: number } {
  const { host, port = defaultPort } = endpointOf(text);
  return { host: host === '' ? '127.0.0.1' : host, port: portArgument(String(port)) };
}

/** `1h` is so long ago; or ISO 8601 with a zone. Epoch milliseconds. */
export function sinceArgument(text: string): number {
  const agoMs = parseDuration(text);
  if (agoMs !== undefined && agoMs >= 1) return Date.now() - agoMs;
  try {
    return Date.parse(timeArgument(text));
  } catch {
    throw new InvalidArgumentError('Expected a duration like 1h or 7d, or a time like 2026-12-02T08:00:00+01:00.');
  }
}

/** `down,degraded`, also several times. */
export function statesArgument(text: string, before: readonly Status[] = []): readonly Status[] {
  const given = text.split(',').map((word) => word.trim().toLowerCase());
  const known = statuses.filter((status) => given.includes(status));
  if (known.length === new Set(given).size) return [...before, ...known];
  throw new InvalidArgumentError(`Expected ${statuses.join(', ')}, with commas between several.`);
}

/** ISO 8601 with a zone. */
export function timeArgument(text: string): string {
  // Date.parse takes 30 February for 2 March.
  if (givenTime.safeParse(text).success) return text;
  throw new InvalidArgumentError('Expected a time with its zone, like 2026-12-02T08:00:00+01:00.');
}

/** `12:30` is the next time that it is so late here; `2h` from now; or ISO 8601 with a zone. ISO 8601 with a zone. */
export function untilArgument(text: string): string {
  const [, hours, minutes] = /^(\d{1,2}):(\d\d)$/.exec(text.trim()) ?? [];
  const aheadMs = parseDuration(text);
  if (hours !== undefined && minutes !== undefined && Number(hours) < 24 && Number(minutes) < 60)
    return nextTime(Number(hours), Number(minutes));
  if (aheadMs !== undefined && aheadMs >= 1 && !/^\s*[\d.]+\s*$/.test(text))
    return new Date(Date.now() + aheadMs).toISOString();
  try {
    return timeArgument(text);
  } catch {
    throw new InvalidArgumentError('Expected a time like 12:30 or 2026-12-02T12:30:00+01:00, or a duration like 2h.');
  }
}

function nextTime(hour: number, minute: number): string {
  const now = Temporal.Now.zonedDateTimeISO();
  const today = now.with({ hour, minute, second: 0, millisecond: 0, microsecond: 0, nanosecond: 0 });
  const next = Temporal.ZonedDateTime.compare(today, now) > 0 ? today : today.add({ days: 1 });
  return next.toInstant().toString();
}

/** The pin of a server's key: bare, or in a join token that begins with it. */
export function keyPinArgument(text: string): string {
  const [, pin] = /^(?:wk1\.)?([\w-]{43})(?:\.[\w-]{43})?$/.exec(text.trim()) ?? [];
  if (pin !== undefined) return pin;
  throw new InvalidArgumentError('Expected the 43 characters that follow wk1. in what `watchkeeper invite` prints.');
}

/** An http or https URL. */
export function webAddressArgument(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new InvalidArgumentError('Expected an http or https URL.');
}

/** Lets the person at a terminal allow what is denied by default. */
export function addAllowOption(command: Command): Command {
  const meaning = 'address or range to allow although it is denied by default, such as fe80::/10 (repeatable)';
  return command.option('--allow <range>', meaning, (range: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    range,
  ]);
}

/** `a,b`; `none` is the empty list. */
export function listArgument(text: string): readonly string[] {
  if (text.trim() === 'none') return [];
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** Names of check types; another word for one is that one. */
export function checkTypesArgument(text: string): readonly string[] {
  return listArgument(text).map((word) => {
    const module = checkModules.find((module) => moduleWords(module).includes(word.toLowerCase()));
    if (module) return module.type;
    throw new InvalidArgumentError(`Expected check types like http,tcp, got ${quoted(word)}.`);
  });
}

export function sensorsArgument(text: string): readonly string[] {
  const names = listArgument(text);
  const unknown = names.find((name) => !sensorNames.some((known) => known === name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(`Expected ${sensorNames.join(', ')} or none, got ${quoted(unknown)}.`);
}
