import { randomUUIDv7 } from 'node:crypto';
import { AppError } from '../../core/errors.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import { nearestWord } from '../../core/nearest.ts';
import { isSameName } from '../../core/names.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { circleAmong } from '../../core/state/dependencies.ts';
import { withSecretsOf } from './hidden-secrets.ts';
import { quoted } from '../../core/quoted.ts';

export interface BookPorts {
  saveMonitor(monitor: { readonly id: string; readonly definition: JsonObject }): Promise<void>;
  monitors(): Promise<readonly { readonly id: string; readonly definition: JsonObject }[]>;
  deleteMonitor(monitorId: string): Promise<boolean>;
  setPaused(monitorId: string, isPaused: boolean): Promise<void>;
  paused(): Promise<readonly string[]>;
  /** A monitor out of what a person wrote. @throws {AppError} usage, with every mistake */
  read(definition: JsonObject): MonitorSpec;
  /** The monitors have changed. */
  onChange(monitors: readonly MonitorSpec[]): Promise<void>;
  /** A monitor that was saved by an earlier version and can no longer be read. */
  onUnreadable(monitorId: string, message: string): void;
}

export interface BookEntry {
  readonly spec: MonitorSpec;
  /** `file`: written in the configuration, and changed only there. */
  readonly origin: 'file' | 'api';
}

/** Every monitor there is: those of the configuration file and those made through the interface. */
export class MonitorBook {
  readonly #ports: BookPorts;
  #fromFile: readonly MonitorSpec[] = [];
  readonly #made = new Map<string, MonitorSpec>();
  /** Monitors whose schedule a person has stopped; in the file or not. */
  readonly #paused = new Set<string>();
  /** Changes are made one after the other: each is judged by what the one before has left. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(ports: BookPorts) {
    this.#ports = ports;
  }

  /** Starts with what the file says and what was made before. */
  async load(fromFile: readonly MonitorSpec[]): Promise<void> {
    for (const { id, definition } of await this.#ports.monitors()) {
      try {
        this.#made.set(id, { ...this.#ports.read(definition), id });
      } catch (error) {
        this.#ports.onUnreadable(id, (error as Error).message);
      }
    }
    for (const id of await this.#ports.paused()) this.#paused.add(id);
    this.#fromFile = fromFile;
    for (const [id, { name }] of this.#made) {
      const other = fromFile.find((spec) => spec.name === name || spec.id === id);
      if (!other) continue;
      this.#made.delete(id);
      const same =
        other.name === name ? `a monitor ${JSON.stringify(name)}` : `its id, for ${JSON.stringify(other.name)},`;
      this.#ports.onUnreadable(id, `the configuration file has ${same} too; rename one of them`);
    }
    await this.#tell();
  }

  /** The configuration file has changed. If it rejects nothing has changed. @throws {AppError} conflict, for names that are taken */
  async replaceFile(specs: readonly MonitorSpec[]): Promise<void> {
    await this.#inTurn(async () => {
      const taken = [...this.#made.values()].find(({ id, name }) =>
        specs.some((spec) => spec.name === name || spec.id === id),
      );
      if (taken) {
        const next = 'rename one of the two';
        throw new AppError(
          'conflict',
          `a monitor ${JSON.stringify(taken.name)} was made through the interface: ${next}`,
        );
      }
      assertNoCircle([...specs, ...this.#made.values()]);
      const before = this.#fromFile;
      this.#fromFile = specs;
      try {
        await this.#tell();
      } catch (error) {
        this.#fromFile = before;
        throw error;
      }
    });
  }

  entries(): readonly BookEntry[] {
    return this.#allWritten().map((entry) => this.#withPause(entry));
  }

  /** By id or by name. @throws {AppError} not-found */
  find(idOrName: string): BookEntry {
    return this.#withPause(this.#written(idOrName));
  }

  async create(definition: JsonObject): Promise<BookEntry> {
    return await this.#inTurn(() => this.#save(randomUUIDv7(), withSecretsOf(definition)));
  }

  async change(idOrName: string, definition: JsonObject): Promise<BookEntry> {
    return await this.#inTurn(async () => {
      const before = this.#madeHere(idOrName);
      return await this.#save(before.id, withSecretsOf(definition, before));
    });
  }

  async remove(idOrName: string): Promise<void> {
    await this.#inTurn(async () => {
      const { id } = this.#madeHere(idOrName);
      await this.#ports.deleteMonitor(id);
      await this.#ports.setPaused(id, false);
      this.#made.delete(id);
      this.#paused.delete(id);
      await this.#tell();
    });
  }

  /** Stops or resumes the schedule of a monitor, wherever it was written; that outlives a restart. */
  async pause(idOrName: string, isPaused: boolean): Promise<BookEntry> {
    return await this.#inTurn(async () => {
      const { spec } = this.#written(idOrName);
      if (spec.paused && !isPaused)
        throw new AppError('conflict', `${spec.name} is paused by its definition: change it there`);
      await this.#ports.setPaused(spec.id, isPaused);
      if (isPaused) this.#paused.add(spec.id);
      else this.#paused.delete(spec.id);
      await this.#tell();
      return this.find(spec.id);
    });
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #allWritten(): readonly BookEntry[] {
    return [
      ...this.#fromFile.map((spec) => ({ spec, origin: 'file' as const })),
      ...[...this.#made.values()].map((spec) => ({ spec, origin: 'api' as const })),
    ];
  }

  #written(idOrName: string): BookEntry {
    const all = this.#allWritten();
    const found = all.find(({ spec }) => spec.id === idOrName) ?? all.find(({ spec }) => spec.name === idOrName);
    if (found) return found;
    const nearest = nearestWord(
      idOrName,
      all.map(({ spec }) => spec.name),
    );
    const hint = nearest === undefined ? '' : `; did you mean ${quoted(nearest)}?`;
    throw new AppError('not-found', `there is no monitor ${quoted(idOrName)}${hint}`);
  }

  #withPause({ spec, origin }: BookEntry): BookEntry {
    return { spec: this.#paused.has(spec.id) ? { ...spec, paused: true } : spec, origin };
  }

  #madeHere(idOrName: string): MonitorSpec {
    const { spec, origin } = this.find(idOrName);
    if (origin === 'api') return spec;
    throw new AppError('conflict', `${spec.name} is written in the configuration file: change it there`);
  }

  async #save(id: string, definition: JsonObject): Promise<BookEntry> {
    const spec = { ...this.#ports.read(definition), id };
    const namesake = this.entries().find((entry) => isSameName(entry.spec.name, spec.name) && entry.spec.id !== id);
    if (namesake) {
      const alike = namesake.spec.name === spec.name ? '' : `, which looks like ${quoted(spec.name)}`;
      throw new AppError('conflict', `there is a monitor ${quoted(namesake.spec.name)} already${alike}`);
    }
    const other = this.entries().find((entry) => entry.spec.id === spec.name && entry.spec.id !== id);
    if (other) throw new AppError('conflict', `the monitor ${quoted(other.spec.name)} has the id ${quoted(spec.name)}`);
    assertNoCircle([
      ...this.entries()
        .map((entry) => entry.spec)
        .filter((other) => other.id !== id),
      spec,
    ]);
    // With its name also where that was left out: it is told as long as there are results.
    await this.#ports.saveMonitor({ id, definition: { ...definition, name: spec.name } });
    this.#made.set(id, spec);
    await this.#tell();
    return this.find(id);
  }

  async #tell(): Promise<void> {
    await this.#ports.onChange(this.entries().map(({ spec }) => spec));
  }
}

/** Monitors that depend on each other would hide each other for ever. */
function assertNoCircle(specs: readonly MonitorSpec[]): void {
  const circle = circleAmong(specs);
  if (!circle) return;
  const found = circle.map((name) => quoted(name)).join(' on ');
  throw new AppError('conflict', `expected monitors that do not depend on each other in a circle, got ${found}`);
}
