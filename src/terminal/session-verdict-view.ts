import { printable } from '../core/printable.ts';
import { seatVerdict } from '../records/report/session-report.ts';
import { lengthText } from '../records/report/report-times.ts';
import { blindTimes } from '../records/report/timeline.ts';
import type { SessionVerdict } from '../records/verify/session-folder.ts';
import type { Paint } from './paint.ts';
import { wrap } from './text.ts';
import { counted } from './units.ts';
import { knownKey, styleOfJudgement, Times } from './verdict-view.ts';

interface VerdictView {
  readonly paint: Paint;
  readonly columns: number;
  /** IANA name of the zone in which times are told. */
  readonly zone: string;
}

/** The verdict on the report of a session first, then each seat in a line. */
export function formatSessionVerdict(verdict: SessionVerdict, { paint, columns, zone }: VerdictView): string {
  const times = new Times(zone);
  const lines = (texts: readonly string[]): readonly string[] =>
    texts.flatMap((text) => wrap(printable(text), columns, '  '));
  const parts = [
    lines([headline(verdict, times)]).map((line) => paint(styleOfJudgement[verdict.judgement], line)),
    lines(originLines(verdict, times)),
    lines(
      verdict.findings.map(({ file, line, message }) => `${file}${line === undefined ? '' : `:${line}`}: ${message}`),
    ).map((line) => paint('red', line)),
    lines(seatLines(verdict)),
    lines([meaningOf(verdict)]),
  ];
  return parts
    .filter(({ length }) => length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n');
}

function headline({ judgement, findings, report, seats }: SessionVerdict, times: Times): string {
  if (judgement === 'altered') return `ALTERED: ${counted(findings.length, 'fault')}`;
  if (judgement === 'signer-unknown') return 'SIGNER UNKNOWN';
  const period = report && sessionPeriod(report, times);
  if (judgement === 'complete') return `GENUINE AND COMPLETE: ${counted(seats.length, 'seat')} for ${period}`;
  const look = report?.seats.filter((seat) => seatVerdict(seat) !== 'clear').length ?? 0;
  return `GENUINE, with ${counted(look, 'seat')} of ${report?.seats.length ?? 0} to be looked at, for ${period}`;
}

function sessionPeriod({ session, madeAt }: NonNullable<SessionVerdict['report']>, times: Times): string {
  const { startedAt, endedAt = madeAt } = session;
  return times.period({ from: Date.parse(startedAt), to: Date.parse(endedAt) });
}

function originLines({ report, signature }: SessionVerdict, times: Times): readonly string[] {
  if (!signature) return [];
  const { madeAt, serverId, version, pin } = signature;
  const session = report?.session;
  return [
    ...(session
      ? [`Session ${session.id}: ${session.policy.name} in ${session.room}, started by ${session.startedBy}.`]
      : []),
    `Signed on ${times.moment(Date.parse(madeAt))} by the server ${serverId} (Watchkeeper ${version}) with the key whose pin is ${pin}. ${knownKey(signature)}`,
  ];
}

function seatLines({ report }: SessionVerdict): readonly string[] {
  return (report?.seats ?? []).map((seat) => {
    const { name, place, notices, sensors } = seat;
    const alarms = notices.filter(({ severity }) => severity === 'alarm').length;
    const blindMs = blindTimes(sensors).reduce((sum, { from, to }) => sum + to - from, 0);
    const facts = [
      ...(alarms > 0 ? [counted(alarms, 'alarm')] : []),
      ...(notices.length > alarms ? [counted(notices.length - alarms, 'notice')] : []),
      ...(blindMs > 0 ? [`not watched for ${lengthText(blindMs)}`] : []),
    ];
    return `${name}${place === undefined ? '' : ` (${place})`}: ${facts.length === 0 ? 'watched throughout, nothing noticed' : facts.join(', ')}.`;
  });
}

function meaningOf({ judgement, signature }: SessionVerdict): string {
  if (judgement === 'altered')
    return 'This is not what was signed. What the faults above name, and all that depends on it, proves nothing.';
  if (judgement === 'signer-unknown')
    return signature?.expectedPin === undefined
      ? 'This is unchanged since it was signed, but anybody can make a key and sign. It proves nothing before the pin is compared: `watchkeeper invite` prints it on your server, between wk1. and the next point.'
      : 'Your server did not sign this. It proves nothing.';
  return 'The report, its page and the records of each seat are what the server signed; nothing was changed since. `verify` on a folder in seats/ says more of one seat. It does not prove who sat at a machine.';
}
