import { DatabaseSync } from 'node:sqlite';
import { readDefinition, readRoomDefinition } from '../../config/definition.ts';
import { buildServer, loadServer, stopServer, type Server } from '../../commands/serve/build-server.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import { createIdentity } from '../../protocol/identity.ts';
import { Upkeep } from '../../server/host/upkeep.ts';
import { storeOver } from '../../server/store/sqlite/sqlite-store.ts';
import type { Reply, Request } from '../../server/store/sqlite/messages.ts';
import { migrate } from '../../server/store/sqlite/migrate.ts';
import { readService } from '../../server/store/sqlite/read-service.ts';
import { migrations } from '../../server/store/sqlite/schema.ts';
import { serve } from '../../server/store/sqlite/serve.ts';
import { writeService } from '../../server/store/sqlite/write-service.ts';
import type { Store } from '../../server/store/store.ts';
import { SimulatedCrash } from '../simulated-disk.ts';
import type { SimulatedListener } from './simulated-dialler.ts';
import type { SimulatedLine } from './simulated-line.ts';
import { MachineClock, SimulatedProcess } from './simulated-process.ts';
import { simulatedThread } from './simulated-thread.ts';
import type { World } from './world.ts';

const dayMs = 86_400_000;
/** Longer than any simulation: nothing may be dropped, whatever a clock says. */
const retention = { results: dayMs, hours: 2 * dayMs, days: 3 * dayMs, devices: dayMs, traffic: dayMs };

/** Sees what becomes of a server. */
export interface ServerWitness {
  onStarted(server: Server): void;
}

/** A database that dies with its process: right before a commit, or right after it, when nobody has been told yet. */
class SimulatedDatabase extends DatabaseSync {
  readonly #process: SimulatedProcess;

  constructor(process: SimulatedProcess, content: Uint8Array | undefined) {
    super(':memory:');
    this.#process = process;
    if (content) this.deserialize(content);
    else this.exec('PRAGMA page_size = 16384');
    migrate(this, migrations);
  }

  override exec(sql: string): void {
    if (sql !== 'COMMIT') return super.exec(sql);
    this.#live();
    super.exec(sql);
    this.#live();
  }

  /** The content is read when the server starts again. */
  override close(): void {}

  /** What a machine without power would find: the state after the last commit. */
  committed(): Uint8Array {
    if (this.isTransaction) super.exec('ROLLBACK');
    return this.serialize();
  }

  #live(): void {
    if (!this.#process.effect()) throw new SimulatedCrash('the server is dead');
  }
}

/** The machine of the server: its disk and its clock outlive the process. */
export class ServerMachine implements SimulatedListener {
  readonly clock: MachineClock;
  readonly identity = { serverId: '', ...createIdentity() };
  hasKernel = true;
  /** What the configuration file says. */
  monitors: readonly MonitorSpec[] = [];
  server: Server | undefined;
  store: Store | undefined;
  /** The process, whether or not it listens yet. */
  running: SimulatedProcess | undefined;
  process: SimulatedProcess | undefined;
  readonly #world: World;
  readonly #witness: ServerWitness;
  #database: SimulatedDatabase | undefined;
  #content: Uint8Array | undefined;
  #lives = 0;

  constructor(world: World, witness: ServerWitness) {
    this.#world = world;
    this.#witness = witness;
    this.clock = new MachineClock(world, Date.UTC(2026, 0, 1));
    this.identity.serverId = world.newId();
  }

  get isRunning(): boolean {
    return this.running?.isAlive ?? false;
  }

  boot(): void {
    if (this.isRunning) return;
    this.#content = this.content();
    this.hasKernel = true;
    const process = new SimulatedProcess(this.#world, `server-${++this.#lives}`);
    this.running = process;
    this.#world.note(`${process.name} starts`);
    process.onEnd(() => {
      this.server = undefined;
      this.process = undefined;
    });
    this.#start(process).catch((error: unknown) => {
      if (process.isAlive) this.#world.find('no exception', `${process.name} cannot start: ${String(error)}`);
    });
  }

  /** Ends as by SIGTERM. */
  async stop(): Promise<void> {
    const { server, running, store } = this;
    if (!server || !running) return;
    await stopServer(server);
    await store?.[Symbol.asyncDispose]();
    running.kill();
  }

  powerCut(): void {
    this.hasKernel = false;
    this.running?.kill();
  }

  /** The store as it is after the last commit. */
  content(): Uint8Array | undefined {
    return this.#database?.committed() ?? this.#content;
  }

  /** The store is an older one again. The server must not run. */
  restore(content: Uint8Array | undefined): void {
    this.#database = undefined;
    this.#content = content;
  }

  /** The database, to look at what is kept. */
  get database(): DatabaseSync | undefined {
    return this.#database;
  }

  accept(line: SimulatedLine): void {
    void this.server?.gateway.adopt(line, { address: '192.0.2.77' });
  }

  async #start(process: SimulatedProcess): Promise<void> {
    const clock = process.clock(this.clock);
    const db = new SimulatedDatabase(process, this.#content);
    this.#database = db;
    const say = (text: string): void => this.#world.note(`${process.name} says ${text}`);
    const newId = (): string => this.#world.newId();
    const store = await storeOver((service) =>
      simulatedThread<Request, Reply>(process, (port) =>
        serve({ port, clock }, (notice) =>
          service === 'writer'
            ? writeService({ db, folder: '', clock, newId, say: notice })
            : // Both share the connection, which the writer closes.
              { ...readService(db, notice), close: () => {} },
        ),
      ),
    );
    this.store = store;
    const server = buildServer({
      clock,
      identity: this.identity,
      store,
      readMonitor: readDefinition,
      readRoom: readRoomDefinition,
      say,
    });
    await loadServer(server, { clock, store, monitors: this.monitors });
    const monitorIds = (): readonly string[] => server.book.entries().map(({ spec }) => spec.id);
    const kept = { retention, monitorIds, onDropped: () => {} };
    const tidied = { store, clientLogs: { drop: async () => {} }, ...kept };
    const trust = { isClockConfirmed: () => server.fleet.confirmsClock(), acceptsClock: false };
    new Upkeep({ ...tidied, ...trust, clock, health: server.health, say }).start();
    this.server = server;
    this.process = process;
    this.#world.note(`${process.name} listens`);
    this.#witness.onStarted(server);
  }
}
