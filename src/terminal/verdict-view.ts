import { printable } from '../core/printable.ts';
import {
  gapsIn,
  unverifiedIn,
  type AlarmFact,
  type ChainFacts,
  type Finding,
  type Judgement,
  type NumberedRun,
  type SensorFacts,
  type Signature,
  type TimestampFact,
  type Verdict,
} from '../records/verify/verdict.ts';
import type { Period } from '../records/verify/watched-time.ts';
import type { Paint, Style } from './paint.ts';
import { wrap } from './text.ts';
import { counted } from './units.ts';

interface VerdictView {
  readonly paint: Paint;
  readonly columns: number;
  /** IANA name of the zone in which times are told. */
  readonly zone: string;
}

export const styleOfJudgement: Readonly<Record<Judgement, Style>> = {
  complete: 'green',
  genuine: 'yellow',
  altered: 'red',
  'signer-unknown': 'magenta',
  unsigned: 'magenta',
};
/** Of more gaps or losses of one sensor only the number is told; `--json` has them all. */
const maxTold = 20;

/** The verdict first, then the evidence for it, in sentences that can be read aloud. */
export function formatVerdict(verdict: Verdict, { paint, columns, zone }: VerdictView): string {
  const times = new Times(zone);
  const paragraphs: readonly Paragraph[] = [
    { style: styleOfJudgement[verdict.judgement], lines: [headline(verdict, times)] },
    { lines: originLines(verdict, times) },
    { style: 'red', lines: verdict.findings.map((finding) => `${placeOf(finding)}: ${finding.message}`) },
    ...verdict.sensors.map((facts) => ({ lines: sensorLines(facts, times) })),
    { style: 'red', lines: verdict.alarms.map((alarm) => alarmLine(alarm, times)) },
    { lines: [meaningOf(verdict)] },
  ];
  return paragraphs
    .filter(({ lines }) => lines.length > 0)
    .map(({ lines, style }) =>
      lines
        .flatMap((line) => wrap(printable(line), columns, '  '))
        .map((line) => (style ? paint(style, line) : line))
        .join('\n'),
    )
    .join('\n\n');
}

interface Paragraph {
  readonly style?: Style;
  readonly lines: readonly string[];
}

function headline(verdict: Verdict, times: Times): string {
  const { judgement, findings, alarms, sensors } = verdict;
  if (judgement === 'altered') return `ALTERED: ${counted(findings.length, 'fault')}`;
  if (judgement === 'signer-unknown') return 'SIGNER UNKNOWN';
  if (judgement === 'unsigned') return 'NOT SIGNED';
  if (judgement === 'complete')
    return `GENUINE AND COMPLETE for ${scopeOf(verdict)}, ${times.period(periodOf(verdict))}`;
  const losses = sensors.flatMap(({ lost }) => lost).length;
  const told = [
    [alarms.length, 'alarm'],
    [gapsIn(verdict).length, 'gap'],
    [losses, 'reported loss'],
    [unverifiedIn(verdict), 'unchecked seal'],
  ] as const;
  const words = told.flatMap(([count, what]) => (count === 0 ? [] : [counted(count, what)]));
  const rest = words.length === 0 ? 'WITHOUT ANY RECORD' : `with ${words.join(', ')}`.replace('losss', 'losses');
  return `GENUINE, ${rest}, for ${scopeOf(verdict)}`;
}

/** Whose records these are, and of which sensors: of others it proves nothing. */
function scopeOf({ agent, sensors }: Verdict): string {
  const names = sensors.map(({ sensor }) => sensor);
  return [agent?.name ?? 'a machine without a name', ...(names.length === 0 ? [] : [names.join(' and ')])].join(', ');
}

/** From the first to the last record of all sensors, or what was asked for. */
function periodOf({ asked, sensors }: Verdict): Period {
  const records = sensors.flatMap((facts) => facts.records ?? []);
  const [from, to] = [asked?.from, asked?.to];
  return {
    from: from === undefined ? Math.min(...records.map((each) => each.from)) : Date.parse(from),
    to: to === undefined ? Math.max(...records.map((each) => each.to)) : Date.parse(to),
  };
}

function originLines({ agent, signature, timestamp, asked }: Verdict, times: Times): readonly string[] {
  if (!agent || !signature) return [];
  const { pin, madeAt, version, serverId } = signature;
  return [
    `Evidence of the machine ${agent.name} (agent ${agent.id}).`,
    `Signed on ${times.moment(Date.parse(madeAt))} by the server ${serverId} (Watchkeeper ${version}) with the key whose pin is ${pin}. ${knownKey(signature)}`,
    ...(timestamp ? [timestampLine(timestamp, times)] : []),
    askedLine(asked, times),
    `Times are those of ${times.zone}; the machine's own clock gave them, but for alarms.`,
  ];
}

function timestampLine({ at, authority, isTrusted }: TimestampFact, times: Times): string {
  const known =
    isTrusted === undefined
      ? 'Nobody has said whether it is to be trusted: give its certificate with --timestamp-ca.'
      : isTrusted
        ? 'Its certificate leads to one that was given as trusted.'
        : 'Its certificate leads to none that was given as trusted: this proves no time.';
  return `The time-stamping authority ${authority} has seen the list of this folder by ${times.both(Date.parse(at))}. ${known}`;
}

/** Whether the key that signed is the one that whoever asks expects. */
export function knownKey({ pin, expectedPin }: Signature): string {
  if (expectedPin === undefined) return 'Nobody has said whose key that is: give the pin of your server with --pin.';
  if (pin === expectedPin) return 'That is the key that was expected.';
  return `That is not the key that was expected, whose pin is ${expectedPin}.`;
}

function askedLine(asked: Verdict['asked'], times: Times): string {
  if (!asked) return 'It does not say which period was asked for, nor what there was besides.';
  const { sensor, from, to } = asked;
  const what = sensor === undefined ? 'all sensors' : `the sensor ${sensor} alone`;
  const words = [from && `from ${times.both(Date.parse(from))}`, to && `to ${times.both(Date.parse(to))}`].filter(
    Boolean,
  );
  return words.length === 0
    ? `Asked for: ${what}, all that the server keeps.`
    : `An excerpt. Asked for: ${what}, ${words.join(' ')}.`;
}

function alarmLine({ at, sensor, cause, message }: AlarmFact, times: Times): string {
  return `ALARM, ${times.moment(Date.parse(at))} by the server's clock, ${sensor}, ${cause}: ${message}.`;
}

function placeOf({ file, line }: Finding): string {
  return line === undefined ? file : `${file}:${line}`;
}

function sensorLines({ sensor, chains, records, orders, blind, lost }: SensorFacts, times: Times): readonly string[] {
  const gaps = blind.map(
    (gap) =>
      `  not watched ${times.period(gap)} (${lengthOf(gap)}): ${gap.why}${gap.isOrdered ? ' (ended in order)' : ''}.`,
  );
  const losses = lost.map((message) => `  lost: ${message}.`);
  return [
    `${sensor}: ${chains.map(chainText).join('; ')}.`,
    ...(records ? [`  From ${times.both(records.from)} to ${times.both(records.to)}.`] : []),
    ...orders.map((order) => `  Watched by ${order}.`),
    ...bounded(gaps, 'more gaps'),
    ...bounded(losses, 'more losses'),
  ];
}

function bounded(lines: readonly string[], what: string): readonly string[] {
  return lines.length <= maxTold ? lines : [...lines.slice(0, maxTold), `  and ${lines.length - maxTold} ${what}.`];
}

function chainText({ chain, runs, kept, verifiedTo }: ChainFacts): string {
  const ranges = runs.map(rangeOf).join(', ');
  const numbers = runs.length === 0 ? 'no records' : `record${/\D/.test(ranges) ? 's' : ''} ${ranges}`;
  const all = kept && rangeOf(kept);
  const name = chain === undefined ? '' : ` of chain ${chain}`;
  const of =
    all === undefined ? '' : all === ranges ? ', all that the server keeps' : `, of which the server keeps ${all}`;
  const last = runs.at(-1)?.last ?? 0;
  const seals =
    verifiedTo === undefined
      ? ''
      : verifiedTo >= last
        ? ', their seals verified by the server'
        : `, their seals verified by the server up to ${verifiedTo}`;
  return `${numbers}${name}${of}${runs.length === 0 ? '' : seals}`;
}

function rangeOf({ first, last }: NumberedRun): string {
  return first === last ? String(first) : `${first} to ${last}`;
}

function meaningOf({ judgement, signature }: Verdict): string {
  if (judgement === 'altered')
    return 'This is not what was signed or sealed. What the faults above name, and all that depends on it, proves nothing.';
  if (judgement === 'unsigned')
    return "The links between the records hold: nobody changed a record and left those after it. An agent's own folder is not signed, and whoever rules the machine can write all of it anew. Compare it with what `watchkeeper evidence` takes from the server.";
  if (judgement === 'signer-unknown')
    return signature?.expectedPin === undefined
      ? 'This is unchanged since it was signed, but anybody can make a key and sign. It proves nothing before the pin is compared: `watchkeeper invite` prints it on your server, between wk1. and the next point.'
      : 'Your server did not sign this. It proves nothing.';
  return 'This is what the server signed, and nothing in it was changed since. It proves what the agent told the server, in this order and at the latest when each record was received; it does not prove who sat at the machine. docs/evidence.md says what each kind of record proves.';
}

/** `3 h 12 min`, `12 min 18 s`, `4 s` */
function lengthOf({ from, to }: Period): string {
  const seconds = Math.round((to - from) / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** Times as people of one zone write them, to the second. */
export class Times {
  readonly zone: string;

  constructor(zone: string) {
    this.zone = zone;
  }

  /** `2026-12-02 09:40:12` */
  moment(epochMs: number): string {
    return wordsOf(epochMs, this.zone);
  }

  /** `2026-12-02 09:40:12 to 09:52:30`, with the second date where it is another. */
  period({ from, to }: Period): string {
    const [first, last] = [this.moment(from), this.moment(to)];
    return `${first} to ${last.slice(0, 10) === first.slice(0, 10) ? last.slice(11) : last}`;
  }

  /** The same in this zone and in UTC. */
  both(epochMs: number): string {
    const utc = wordsOf(epochMs, 'UTC');
    return this.zone === 'UTC' ? utc : `${this.moment(epochMs)} (${utc} UTC)`;
  }
}

function wordsOf(epochMs: number, zone: string): string {
  const time = Temporal.Instant.fromEpochMilliseconds(Math.round(epochMs)).toZonedDateTimeISO(zone);
  return time.toPlainDateTime().toString({ smallestUnit: 'second' }).replace('T', ' ');
}
