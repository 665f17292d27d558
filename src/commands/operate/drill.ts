import { sleep, systemClock as clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/duration.ts';
import { printable } from '../../core/printable.ts';
import { formatMs } from '../../terminal/units.ts';
import { formatLength } from '../../terminal/time-length.ts';
import { interruption } from '../interruption.ts';
import { drillAnswer, type DrillAnswer } from './server-answers.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';

export interface DrillFlags extends ServerPlace {
  readonly for?: Milliseconds;
  readonly json?: true;
}

const askEveryMs = 500;

/** Starts a drill and follows it to its end; returns 0 if somebody took it, 2 if nobody did. */
export async function runDrill(
  monitor: string,
  { for: forMs, json, ...place }: DrillFlags,
  output: NodeJS.WriteStream,
): Promise<number> {
  const client = new ServerClient(lineTo(place));
  const body = { monitor, ...(forMs !== undefined && { for: `${forMs}ms` }) };
  const stop = interruption();
  let drill = await client.post('/drills', drillAnswer, { body });
  const say = (text: string): void => void (json ? undefined : output.write(`${text}\n`));
  say(`A drill for ${printable(drill.monitor)}: nothing is broken. To take it: watchkeeper ack ${drill.id}`);
  const told = new Set<string>();
  for (;;) {
    for (const line of newsOf(drill, told)) say(line);
    if (drill.endedAt !== null || stop.aborted) break;
    await sleep(clock, askEveryMs, stop).catch(() => {});
    drill = await client.get(`/drills/${drill.id}`, drillAnswer);
  }
  if (json) output.write(`${JSON.stringify(drill)}\n`);
  say(endOf(drill));
  return drill.taken ? 0 : 2;
}

/** What has happened since it was last told. */
function newsOf({ startedAt, deliveries }: DrillAnswer, told: Set<string>): readonly string[] {
  const lines: string[] = [];
  const once = (key: string, text: string): void => {
    if (!told.has(key)) lines.push(text);
    told.add(key);
  };
  for (const { notifier, step, queuedAt, deliveredAt } of deliveries) {
    const after = formatLength(Date.parse(queuedAt) - Date.parse(startedAt));
    const when = step === 0 ? 'at once' : `after ${after}, for nobody had taken it`;
    once(`queued ${notifier} ${step}`, `${printable(notifier)} is told ${when}.`);
    if (deliveredAt === null) continue;
    const took = formatMs(Math.round(Date.parse(deliveredAt) - Date.parse(queuedAt)));
    once(`delivered ${notifier} ${step}`, `${printable(notifier)} has delivered it after ${took}.`);
  }
  return lines;
}

function endOf({ startedAt, taken, deliveries, endedAt }: DrillAnswer): string {
  const undelivered = deliveries.filter(({ deliveredAt }) => deliveredAt === null).map(({ notifier }) => notifier);
  const missing = undelivered.length === 0 ? '' : ` Not delivered: ${printable(undelivered.join(', '))}.`;
  if (taken)
    return `${printable(taken.by)} took it after ${formatLength(Date.parse(taken.at) - Date.parse(startedAt))}.${missing}`;
  return endedAt === null ? `The drill goes on without this terminal.${missing}` : `Nobody took it.${missing}`;
}
