import { appendFile, mkdir, readdir, readFile, rename, rm, rmdir, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Cancel, Clock } from '../../core/clock.ts';
import type { SensorName } from '../../core/sensor.ts';
import { lineText } from '../../records/record-line.ts';
import type { Evidence, KeptRecord, RecordsBefore } from '../store/evidence.ts';
import { safeName } from './safe-name.ts';

export interface ClientLogsParts {
  readonly clock: Clock;
  /** Holds a folder for each address. */
  readonly folder: string;
  readonly store: Pick<Evidence, 'recordsAfter'>;
  /** A line for the operator. */
  readonly say: (text: string) => void;
}

interface OpenLog {
  readonly path: string;
  readonly day: string;
  bytes: number;
}

/** Two safe names: an edited round must not lead outside the folder. */
const logPath = /^[^./][^/]*\/[^./][^/]*\.log$/;

/** The write in progress: after a crash it is undone and repeated, so that each line is there once. */
const round = z.strictObject({
  /** The last record written before, in the store's order of arrival. */
  position: z.int().min(0),
  /** Bytes of each file before, by its path under the folder. */
  files: z.record(z.string().regex(logPath), z.int().min(0)),
});
type Round = z.output<typeof round>;

const roundFile = 'round.json';
const maxFileBytes = 4 * 1024 * 1024;
const recordsAtOnce = 100;
const gatherMs = 250;
const retryMs = 10_000;
/** Limit of open files; beyond it some begin anew. */
const maxOpenLogs = 20_000;
const dayMs = 86_400_000;

/**
 * Records as text for people: `<address>/<time>-<sensor>-<end of the agent's id>.log`, in order of receipt. Written from
 * the store, so that it delays nothing and leaves nothing out: what a full disk refuses is written later.
 */
export class ClientLogs {
  readonly #parts: ClientLogsParts;
  readonly #open = new Map<string, OpenLog>();
  /** Position of the last written record; undefined until the previous process's progress is known. */
  #position: number | undefined;
  #cancel: Cancel | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isStopped = false;
  #isFailing = false;

  constructor(parts: ClientLogsParts) {
    this.#parts = parts;
  }

  /** Called when the store may have new records. */
  wake(delayMs = gatherMs): void {
    if (this.#isStopped) return;
    this.#cancel ??= this.#parts.clock.after(delayMs, () => {
      this.#cancel = undefined;
      this.#writing = this.#writing.then(() => this.#attempt());
    });
  }

  /** Writes everything so far, if the disk allows. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    await this.#writing;
    await this.#attempt();
    if (this.#position !== undefined && !this.#isFailing) await this.#begin({ position: this.#position, files: {} });
  }

  /** Deletes the files whose records are all older. */
  async drop(before: RecordsBefore): Promise<void> {
    const { folder } = this.#parts;
    const entries = await readdir(folder, { withFileTypes: true }).catch(noneIfAbsent);
    for (const { name: client } of entries.filter((entry) => entry.isDirectory())) {
      for (const name of await readdir(join(folder, client))) {
        if (isOlder(name, before)) await rm(join(folder, client, name));
      }
      // A folder that is not empty stays.
      await rmdir(join(folder, client)).catch(() => {});
    }
  }

  /** Reports a failure once, until it works again. */
  async #attempt(): Promise<void> {
    const { folder, say } = this.#parts;
    try {
      await this.#writeAll();
      if (this.#isFailing) say(`The files in ${folder} are written again; nothing is left out.`);
      this.#isFailing = false;
    } catch (error) {
      const why = `${(error as Error).message}. Nothing is lost: the store has it, and it is written later`;
      if (!this.#isFailing && !this.#isStopped) say(`The files in ${folder} cannot be written: ${why}.`);
      this.#isFailing = true;
      this.wake(retryMs);
    }
  }

  async #writeAll(): Promise<void> {
    let position = (this.#position ??= await this.#recover());
    for (;;) {
      const records = await this.#parts.store.recordsAfter(position, recordsAtOnce);
      const last = records.at(-1);
      if (last === undefined) return;
      await this.#write(records, position);
      this.#position = position = last.position;
    }
  }

  /** Undoes a half-finished write of the previous process; resolves with its progress. */
  async #recover(): Promise<number> {
    await mkdir(this.#parts.folder, { recursive: true, mode: 0o700 });
    const text = await readFile(this.#at(roundFile), 'utf8').catch(undefinedIfAbsent);
    if (text === undefined) return 0;
    const { position, files } = this.#readRound(text);
    await this.#undo(files);
    return position;
  }

  #readRound(text: string): Round {
    try {
      return round.parse(JSON.parse(text));
    } catch {
      const what = `expected ${this.#at(roundFile)} as it was written, to know what is in the files already; it was changed`;
      throw new Error(`${what}. Move the folder away: all of it is written anew`);
    }
  }

  async #write(records: readonly KeptRecord[], position: number): Promise<void> {
    const texts = new Map<OpenLog, string>();
    for (const record of records) {
      const log = await this.#logFor(record);
      const text = `${lineText(record.line)}\n`;
      log.bytes += Buffer.byteLength(text);
      texts.set(log, (texts.get(log) ?? '') + text);
    }
    const sizes = await Promise.all(
      [...texts.keys()].map(async ({ path }) => [path, await this.#sizeOf(path)] as const),
    );
    const files = Object.fromEntries(sizes);
    await this.#begin({ position, files });
    try {
      for (const [{ path }, text] of texts) {
        await mkdir(dirname(this.#at(path)), { recursive: true, mode: 0o700 });
        await appendFile(this.#at(path), text, { mode: 0o600 });
      }
    } catch (error) {
      // A partial write is undone before it is repeated.
      this.#open.clear();
      this.#position = undefined;
      throw error;
    }
  }

  /** A new file when a day (UTC) begins, when the last is full, and when the server starts. */
  async #logFor(record: KeptRecord): Promise<OpenLog> {
    const { agentId, address = 'unknown', sensor, receivedAt } = record;
    const key = `${agentId} ${sensor} ${address}`;
    const time = new Date(receivedAt).toISOString();
    const open = this.#open.get(key);
    if (open && open.day === time.slice(0, 10) && open.bytes < maxFileBytes) return open;
    // Its end, which is random: agents that were made together begin alike (RFC 9562, section 5.7).
    const name = `${time.slice(0, 19).replaceAll(':', '-')}Z-${sensor}-${safeName(agentId.slice(-8).toLowerCase())}.log`;
    const path = join(safeName(address), name);
    const log = { path, day: time.slice(0, 10), bytes: await this.#sizeOf(path) };
    if (this.#open.size >= maxOpenLogs) this.#open.clear();
    this.#open.set(key, log);
    return log;
  }

  async #begin(begun: Round): Promise<void> {
    await writeFile(this.#at(`${roundFile}.new`), JSON.stringify(begun), { mode: 0o600, flush: true });
    await rename(this.#at(`${roundFile}.new`), this.#at(roundFile));
  }

  async #undo(files: Round['files']): Promise<void> {
    for (const [path, bytes] of Object.entries(files)) {
      if (bytes === 0) await rm(this.#at(path), { force: true });
      else if ((await this.#sizeOf(path)) > bytes) await truncate(this.#at(path), bytes);
    }
  }

  async #sizeOf(path: string): Promise<number> {
    const found = await stat(this.#at(path)).catch(undefinedIfAbsent);
    return found?.size ?? 0;
  }

  #at(path: string): string {
    return join(this.#parts.folder, path);
  }
}

function undefinedIfAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function noneIfAbsent(error: NodeJS.ErrnoException): [] {
  undefinedIfAbsent(error);
  return [];
}

/** `<time>-<sensor>-<end of an id>.log`; earlier versions wrote `<time>-<agent>-<sensor>.log`. */
const logNames = [
  /^(\d{4}-\d\d-\d\d)T(\d\d-\d\d-\d\d)Z-([a-z]+)-[\da-f]{8}\.log$/,
  /^(\d{4}-\d\d-\d\d)T(\d\d-\d\d-\d\d)Z-.*-([a-z]+)\.log$/,
];

/** By its name: a file holds a day at most. */
function isOlder(name: string, before: RecordsBefore): boolean {
  return logNames.some((pattern) => {
    const [, day, time, sensor] = pattern.exec(name) ?? [];
    const begunAt = Date.parse(`${day}T${time?.replaceAll('-', ':')}Z`);
    // A word that is no sensor has no limit.
    const oldest = before[sensor as SensorName];
    return oldest !== undefined && begunAt + dayMs < oldest;
  });
}
