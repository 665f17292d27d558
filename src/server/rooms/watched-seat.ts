import { isoTimeOf } from '../../core/iso-time.ts';
import type { SensorPlan } from '../../core/sensor-plan.ts';
import type { SensorName } from '../../core/sensor.ts';
import { contentOf } from '../../records/record-line.ts';
import type { ReportedSeat } from '../../records/report/session-report.ts';
import { WatchedTime, type Period } from '../../records/verify/watched-time.ts';
import type { Evidence } from '../store/evidence.ts';

interface WatchedSeat {
  /** Undefined of a seat whose agent never joined. */
  readonly agentId: string | undefined;
  readonly sensors: SensorPlan['sensors'];
  readonly period: Period;
}

type Store = Pick<Evidence, 'chains' | 'lines'>;

const linesAtOnce = 500;

/** When each sensor that was ordered watched in a period, and when it did not, by its own records. */
export async function watchedBy(
  { agentId, sensors, period }: WatchedSeat,
  store: Store,
): Promise<ReportedSeat['sensors']> {
  const chains = (await store.chains()).filter((chain) => chain.agentId === agentId);
  const watched: ReportedSeat['sensors'] = [];
  for (const { sensor } of sensors) {
    const ids = chains.filter((chain) => chain.sensor === sensor).map(({ chain }) => chain);
    watched.push(await watchedBySensor({ sensor, chains: ids, period }, store));
  }
  return watched;
}

interface OfSensor {
  readonly sensor: SensorName;
  readonly chains: readonly string[];
  readonly period: Period;
}

async function watchedBySensor(
  { sensor, chains, period }: OfSensor,
  store: Store,
): Promise<ReportedSeat['sensors'][number]> {
  const time = new WatchedTime();
  let records = 0;
  for (const chain of chains) {
    let before: number | undefined;
    for await (const { n, at, line } of linesIn(chain, store)) {
      if (at < period.from || at > period.to) continue;
      if (before !== undefined && n !== before + 1)
        time.breakOff(`the server never got records ${before + 1} to ${n - 1}`);
      before = n;
      records++;
      const content = contentOf(line);
      if (content) time.add(content);
    }
  }
  const blind = time.times(period).map(({ from, to, why }) => ({
    from: isoTimeOf(Math.max(from, period.from)),
    to: isoTimeOf(Math.min(to, period.to)),
    why,
  }));
  return { sensor, records, blind, lost: [...time.lost] };
}

async function* linesIn(chain: string, store: Store) {
  for (let next = 1; ;) {
    const lines = await store.lines({ chain, from: next, limit: linesAtOnce });
    yield* lines;
    if (lines.length < linesAtOnce) return;
    next = (lines.at(-1)?.n ?? 0) + 1;
  }
}
