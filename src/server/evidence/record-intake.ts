import type { Clock } from '../../core/clock.ts';
import type { RecordItem, SealedRecord, SeqRange } from '../../core/entry.ts';
import type { ServerEvent } from '../../core/event.ts';
import { printable } from '../../core/printable.ts';
import { RangeSet } from '../../core/ranges.ts';
import { FaultLog } from '../gateway/fault-log.ts';
import type { RecordReading } from '../pipeline/commit-results.ts';
import type { Alarm, CommittedRecords, Evidence } from '../store/evidence.ts';
import { contentOf } from '../../records/record-line.ts';
import { alarmOf } from '../../records/record-text.ts';
import type { JudgedRecord, PolicyJudgement } from '../rooms/session-judge.ts';
import { ChainWatch } from './chain-watch.ts';
import { readRecord, type Reading } from './read-record.ts';
import { machineAt, type Seat } from './seat-names.ts';
import type { NoticeStream } from './notice-stream.ts';
import { SeatNotices } from './seat-notices.ts';
import type { SeatSilence } from './seat-silence.ts';

export interface IntakeParts {
  readonly clock: Clock;
  readonly store: Pick<Evidence, 'beginChain' | 'chains' | 'saveChains' | 'lines'>;
  readonly agentOf: (agentId: string) => ReportingAgent;
  /** Every agent that the server knows. */
  readonly seats: () => readonly Seat[];
  readonly publish: (event: ServerEvent) => void;
  /** Whether the seat's sensor of traffic works now. */
  readonly countsTraffic: (agentId: string) => boolean;
  readonly notices: NoticeStream;
  /** How grave a record is, in the session in which it was made. */
  readonly judge: (record: JudgedRecord) => PolicyJudgement;
  readonly silence: Pick<SeatSilence, 'note'>;
  /** A line for the operator. */
  readonly say: (text: string) => void;
}

interface ReportingAgent {
  readonly name: string;
  /** The address that it reports from. */
  readonly address: string | undefined;
  /** The agent's clock minus the server's. */
  readonly clockOffsetMs?: number;
}

/** Takes in records: assigns them to agents, reads them and has them verified. */
export class RecordIntake {
  readonly chains: ChainWatch;
  readonly #parts: IntakeParts;
  /** A thousand alarms of one agent (all in the store) must not hide another agent's in the operator's log. */
  readonly #log: FaultLog;
  readonly #seatNotices: SeatNotices;

  constructor(parts: IntakeParts) {
    const { clock, store, say, seats, countsTraffic, notices } = parts;
    this.#parts = parts;
    this.#seatNotices = new SeatNotices({ clock, seats, countsTraffic, onLate: (notice) => notices.add(notice) });
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
    const { clock } = this.#parts;
    const reading = readRecord(item, { sensor: known?.sensor, receivedAt: clock.now() });
    if (!reading) {
      const message = 'expected lines of this chain, got something else, which was not kept';
      if (known) this.chains.raise({ chain, n: 0, cause: 'malformed', message, line: item.line });
      return { refusal: 'they are no lines of their chain' };
    }
    if (!known) this.chains.adopt(agentId, reading.record);
    return this.#told(agentId, reading);
  }

  /** A record with what people are told of it. */
  #told(agentId: string, { record: sealed, content }: Reading): RecordReading {
    const { clock, agentOf, silence, judge } = this.#parts;
    const { name, address: place, clockOffsetMs = 0 } = agentOf(agentId);
    const address = place === undefined ? undefined : machineAt(place);
    const { sensor, n, at } = sealed;
    if (!content) return { record: { ...sealed, address }, event: undefined };
    const { record } = content;
    silence.note(agentId, record);
    const ageMs = clock.now() - (at - clockOffsetMs);
    const notice = this.#seatNotices.of({ seat: { id: agentId, name, address }, sensor, record, ageMs });
    const event = { type: 'record' as const, agentId, name, address, sensor, n, at, record };
    const { severity, sessionId } = judge({ agentId, record, at: at - clockOffsetMs });
    if (notice === undefined || severity === undefined) return { record: { ...sealed, address }, event };
    const kept = { severity, text: notice, sessionId };
    return { record: { ...sealed, address, notice: kept }, event: { ...event, notice } };
  }

  /** These were committed. */
  committed(records: readonly SealedRecord[], outcome: Outcome): void {
    for (const notice of outcome.notices) this.#parts.notices.tell(notice);
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

  async stop(): Promise<void> {
    this.#seatNotices.stop();
    this.#parts.notices.stop();
    await this.chains.stop();
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

interface Outcome extends CommittedRecords {
  readonly added: readonly SeqRange[];
}
