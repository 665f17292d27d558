import type { DatabaseSync } from 'node:sqlite';
import type { SealedRecord, SeqRange } from '../../../core/entry.ts';
import { AppError } from '../../../core/errors.ts';
import { RangeSet, rangesOf } from '../../../core/ranges.ts';
import type { KeptNotice } from '../notices.ts';
import type { NoticeWriter } from './notices.ts';
import type { Alarm, ChainProgress, CommittedRecords, NewAlarm, NewChain, RecordsBefore } from '../evidence.ts';

/** Lines that one transaction drops; commits wait for it. */
const linesPerStep = 500;
/** A chain with so many is worth nothing any more, and more would only fill the disk. */
const maxAlarmsOfChain = 1000;

/** Writes records, each line once, and what is known of their chains. Every method is to be called within a transaction. */
export class RecordWriter {
  readonly #statements;
  readonly #notices: NoticeWriter;

  constructor(db: DatabaseSync, notices: NoticeWriter) {
    this.#statements = prepare(db);
    this.#notices = notices;
  }

  beginChain(chain: NewChain): 'begun' | 'known' | 'taken' {
    const known = this.#statements.chain.get(chain.chain);
    if (known === undefined) {
      this.#addChain(chain, 0);
      return 'begun';
    }
    return known['firstKey'] === chain.key && known['agentId'] === chain.agentId ? 'known' : 'taken';
  }

  /** Keeps those of the records whose numbers are in `added`. */
  keep(agentId: string, records: readonly SealedRecord[], added: readonly SeqRange[]): CommittedRecords {
    const isAdded = new RangeSet(added);
    const repeated: number[] = [];
    const alarms: Alarm[] = [];
    const notices: KeptNotice[] = [];
    for (const record of records.filter(({ seq }) => isAdded.has(seq))) {
      const isNew = this.#keepOne(agentId, record, (alarm) => alarms.push(...this.#raise(alarm)));
      if (!isNew) repeated.push(record.seq);
      else if (record.notice) {
        const { sensor, event: kind, receivedAt: at, notice } = record;
        notices.push(this.#notices.add({ agentId, sensor, kind, at, ...notice }));
      }
    }
    return { repeated: rangesOf(repeated).ranges, alarms, notices };
  }

  saveChains(progress: readonly ChainProgress[], alarms: readonly NewAlarm[]): readonly Alarm[] {
    for (const { chain, cursor, anchor } of progress) {
      const followed = [cursor.n, cursor.head ?? null, cursor.key ?? null];
      this.#statements.saveProgress.run(...followed, anchor?.n ?? null, anchor?.head ?? null, chain);
    }
    return alarms.flatMap((alarm) => this.#raise(alarm));
  }

  /** Drops some lines that are older and verified; false when none is left. */
  dropSome(before: RecordsBefore): boolean {
    return this.#statements.chains.all().some((chain) => {
      // The column holds what a NewChain had.
      const oldest = before[String(chain['sensor']) as NewChain['sensor']];
      return oldest !== undefined && this.#dropOf(Number(chain['id']), Number(chain['n']), oldest);
    });
  }

  /** From the first line on, as far as they are older: what is left still links. */
  #dropOf(chainId: number, verifiedTo: number, before: number): boolean {
    const lines = this.#statements.oldestLines.all(chainId, linesPerStep);
    const kept = lines.findIndex((line) => Number(line['at']) >= before || Number(line['n']) > verifiedTo);
    const last = lines.at(kept < 0 ? -1 : kept - 1);
    if (last === undefined || kept === 0) return false;
    this.#statements.dropLines.run(chainId, last['n']!);
    this.#statements.noteDropped.run(last['n']!, chainId);
    return true;
  }

  #keepOne(agentId: string, record: SealedRecord, onAlarm: (alarm: NewAlarm) => void): boolean {
    const { chain, n, at, event, address = null, receivedAt, line, hash } = record;
    const { id, droppedTo, verifiedTo } = this.#chainOf(agentId, record, onAlarm);
    if (n <= droppedTo) return false;
    const { changes } = this.#statements.addRecord.run(id, n, at, event, address, receivedAt, line, hash);
    if (changes === 1) {
      const message = `line ${n} came after it was given up as missing: its seal can no longer be verified`;
      if (n <= verifiedTo) onAlarm({ chain, n, cause: 'unlinked', at: receivedAt, message });
      return true;
    }
    if (this.#statements.hash.get(id, n)?.['hash'] !== hash) {
      const message = `expected line ${n} as it came before, got another: the agent's folder was copied or set back, and both go on`;
      onAlarm({ chain, n, cause: 'forked', at: receivedAt, message, line });
    }
    return false;
  }

  /** Of a chain whose beginning is not known, as after a backup of the server was restored, the lines are kept all the same. */
  #chainOf(
    agentId: string,
    { chain, sensor, n, receivedAt }: SealedRecord,
    onAlarm: (alarm: NewAlarm) => void,
  ): KnownChain {
    const known = this.#statements.chain.get(chain);
    if (known !== undefined && known['agentId'] !== agentId)
      throw new AppError('usage', `Expected records of agent ${agentId}'s own chains, got chain ${chain} of another.`);
    if (known !== undefined) {
      // Without its key no line of it is verified by more than its links.
      const verifiedTo = known['firstKey'] === null ? 0 : Number(known['n']);
      return { id: Number(known['id']), droppedTo: Number(known['droppedTo']), verifiedTo };
    }
    const id = this.#addChain({ chain, agentId, sensor, key: null, head: null, begunAt: receivedAt }, n - 1);
    const message = `expected to be told the first key of a chain before its first record, got line ${n}: the links of its lines can be verified, their seals not`;
    onAlarm({ chain, n: 0, cause: 'begun-anew', at: receivedAt, message });
    return { id, droppedTo: 0, verifiedTo: 0 };
  }

  /** Followed up to line `n`. */
  #addChain(begun: Unsealed<NewChain>, n: number): number {
    const { chain: id, agentId, sensor, key, head, begunAt } = begun;
    return Number(this.#statements.addChain.run(id, agentId, sensor, key, begunAt, n, head, key).lastInsertRowid);
  }

  #raise({ chain, n, cause, at, message, line }: NewAlarm): readonly Alarm[] {
    if (Number(this.#statements.alarmsOf.get(chain)?.['count']) >= maxAlarmsOfChain) return [];
    const { changes } = this.#statements.addAlarm.run(n, cause, at, message, line ?? null, chain);
    if (changes !== 1) return [];
    const of = this.#statements.chain.get(chain);
    const sensor = String(of?.['sensor']) as Alarm['sensor'];
    const agentId = String(of?.['agentId']);
    // These come of records, whose notices they have.
    if (cause !== 'not-watching' && cause !== 'clock-jump')
      this.#notices.add({ agentId, sensor, kind: cause, severity: 'alarm', text: message, at });
    return [{ chain, n, cause, at, message, ...(line !== undefined && { line }), agentId, sensor }];
  }
}

interface KnownChain {
  readonly id: number;
  readonly droppedTo: number;
  readonly verifiedTo: number;
}

/** Without a first key, where none was told. */
type Unsealed<Begun extends NewChain> = Omit<Begun, 'key' | 'head'> & Record<'key' | 'head', string | null>;

function prepare(db: DatabaseSync) {
  return {
    chain: db.prepare('SELECT id, agentId, sensor, firstKey, droppedTo, n FROM chains WHERE chain = ?'),
    chains: db.prepare('SELECT id, sensor, n FROM chains'),
    addChain: db.prepare(`
      INSERT INTO chains (chain, agentId, sensor, firstKey, begunAt, n, head, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    saveProgress: db.prepare('UPDATE chains SET n = ?, head = ?, key = ?, anchorN = ?, anchorHead = ? WHERE chain = ?'),
    addRecord: db.prepare(`
      INSERT INTO records (chainId, n, at, event, address, receivedAt, line, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING`),
    hash: db.prepare('SELECT hash FROM records WHERE chainId = ? AND n = ?'),
    addAlarm: db.prepare(`
      INSERT INTO alarms (chainId, n, cause, at, message, line) SELECT id, ?, ?, ?, ?, ? FROM chains WHERE chain = ?
      ON CONFLICT DO NOTHING`),
    alarmsOf: db.prepare(`
      SELECT count(*) AS count FROM alarms WHERE chainId = (SELECT id FROM chains WHERE chain = ?)`),
    oldestLines: db.prepare('SELECT n, at FROM records WHERE chainId = ? ORDER BY n LIMIT ?'),
    dropLines: db.prepare('DELETE FROM records WHERE chainId = ? AND n <= ?'),
    noteDropped: db.prepare('UPDATE chains SET droppedTo = ? WHERE id = ?'),
  };
}
