import type { Clock } from '../../core/clock.ts';
import type { RecordItem, SealedRecord, SeqRange } from '../../core/entry.ts';
import type { ServerEvent } from '../../core/event.ts';
import { printable } from '../../core/printable.ts';
import { RangeSet } from '../../core/ranges.ts';
import { unmapped } from '../../core/target.ts';
import { FaultLog } from '../gateway/fault-log.ts';
import type { RecordReading } from '../pipeline/commit-results.ts';
import type { Alarm, Evidence } from '../store/evidence.ts';
import { contentOf } from '../../records/record-line.ts';
import { alarmOf, severityOf } from '../../records/record-text.ts';
import { ChainWatch } from './chain-watch.ts';
import { readRecord } from './read-record.ts';
import { SeatNotices, type Seat } from './seat-notices.ts';

export interface IntakeParts {
  readonly clock: Clock;
  readonly store: Pick<Evidence, 'beginChain' | 'chains' | 'saveChains' | 'lines'>;
  /** The agent's name and the address that it reports from. */
  readonly agentOf: (agentId: string) => { readonly name: string; readonly address: string | undefined };
  /** Every agent that the server knows. */
  readonly seats: () => readonly Seat[];
  readonly publish: (event: ServerEvent) => void;
  /** A line for the operator. */
  readonly say: (text: string) => void;
}

/** Takes in records: assigns them to agents, reads them and has them verified. */
export class RecordIntake {
  readonly chains: ChainWatch;
  readonly #parts: IntakeParts;
  /** A thousand alarms of one agent (all in the store) must not hide another agent's in the operator's log. */
  readonly #log: FaultLog;
  readonly #notices: SeatNotices;

  constructor(parts: IntakeParts) {
    const { clock, store, say, seats } = parts;
    this.#parts = parts;
    this.#notices = new SeatNotices({ clock, seats: () => seats().map(seatOf) });
    this.#log = new FaultLog({ clock, say, event: 'alarm' });
    this.chains = new ChainWatch({
      clock,
      store,
      onAlarm: (alarm) => this.#tell(alarm),
      onFault: (why) => say(`Records are kept and cannot be verified until the store answers: ${why}.`),
    });
  }

  read(agentId: string, item: RecordItem): RecordReading {
    const { chain } = item;
    const known = this.chains.find(chain);
    if (known && known.agentId !== agentId) return { refusal: 'they are of a chain of another agent' };
    if (!known && !this.chains.hasRoom(agentId)) return { refusal: 'the agent has begun too many chains' };
    const { clock, agentOf } = this.#parts;
    const reading = readRecord(item, { sensor: known?.sensor, receivedAt: clock.now() });
    if (!reading) {
      const message = 'expected lines of this chain, got something else, which was not kept';
      if (known) this.chains.raise({ chain, n: 0, cause: 'malformed', message, line: item.line });
      return { refusal: 'they are no lines of their chain' };
    }
    if (!known) this.chains.adopt(agentId, reading.record);
    const { name, address: place } = agentOf(agentId);
    const address = place === undefined ? undefined : machineAt(place);
    const { record, content } = reading;
    const { sensor, n, at } = record;
    if (!content) return { record: { ...record, address }, event: undefined };
    const notice = this.#notices.of({ agentId, seat: { name, address }, sensor, record: content.record });
    const told = { type: 'record' as const, agentId, name, address, sensor, n, at, record: content.record };
    if (notice === undefined) return { record: { ...record, address }, event: told };
    const kept = { severity: severityOf(content.record), text: notice };
    return { record: { ...record, address, notice: kept }, event: { ...told, notice } };
  }

  /** These were committed. */
  committed(records: readonly SealedRecord[], outcome: Outcome): void {
    const [added, repeated] = [new RangeSet(outcome.added), new RangeSet(outcome.repeated)];
    const news = records.filter(({ seq }) => added.has(seq) && !repeated.has(seq));
    this.chains.committed(news);
    for (const { chain, n, line } of news.filter(({ event }) => event === 'not-watching' || event === 'clock-jump')) {
      const content = contentOf(line);
      const alarm = content && alarmOf(content.record);
      if (alarm) this.chains.raise({ chain, n, ...alarm });
    }
    for (const alarm of outcome.alarms) this.#tell(alarm);
  }

  #tell({ agentId, sensor, n, cause, message }: Alarm): void {
    const { name } = this.#parts.agentOf(agentId);
    this.#log.tell(
      `${agentId} ${sensor} ${cause}`,
      printable(`ALARM ${cause}: records of ${name} (${sensor}): ${message}.`),
    );
    this.#parts.publish({ type: 'alarm', agentId, name, sensor, n, cause, message });
  }
}

interface Outcome {
  readonly added: readonly SeqRange[];
  readonly repeated: readonly SeqRange[];
  readonly alarms: readonly Alarm[];
}

function seatOf({ name, address }: Seat): Seat {
  return { name, address: address === undefined ? undefined : machineAt(address) };
}

/** The address without port: called agents are known with theirs. */
function machineAt(place: string): string {
  const [, bracketed, plain] = /^\[(.+)\]:\d+$|^([^:]+):\d+$/.exec(place) ?? [];
  return unmapped(bracketed ?? plain ?? place);
}
