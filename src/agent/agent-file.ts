import { randomUUIDv7 } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../core/errors.ts';
import type { SmallFiles } from '../core/small-files.ts';
import { createIdentity } from '../protocol/identity.ts';
import { sensorOrder, task } from '../protocol/messages.ts';
import type { Task } from '../core/task.ts';
import type { Place } from '../core/place.ts';

const agentFile = z.strictObject({
  agentId: z.uuid(),
  name: z.string(),
  publicKey: z.string(),
  privateKeyPem: z.string(),
  /** Pin of the server's public key; absent until the first join. */
  serverPin: z.string().optional(),
  serverUrl: z.url().optional(),
  /** Secret of an unused join token: issued by the server or, where the server calls this agent, by the agent itself. */
  secret: z.string().optional(),
});
/** Who this agent is, and whom it serves. Made once; readable by its user only. */
export type AgentFile = z.output<typeof agentFile>;

const placeFile = z.strictObject({ machineId: z.string(), lock: z.string() });

const tasksFile = z.array(task);

const keptOrder = sensorOrder.extend({
  /** The end of the order by this machine's time since its boot; see MachineTime. */
  ends: z.strictObject({ boot: z.string().max(64), uptimeMs: z.number() }).optional(),
});
/** What the server ordered, and when that ends here. */
export type KeptOrder = z.output<typeof keptOrder>;

/** The agent's small files in its data folder, each replaced whole or not at all. */
export class AgentFolder {
  readonly files: SmallFiles;

  constructor(files: SmallFiles) {
    this.files = files;
  }

  get path(): string {
    return this.files.path;
  }

  /** Reads the agent's identity, or creates it at the first start. @throws {AppError} invalid-config, when the file is there and not readable as one */
  identity(name: string): AgentFile {
    const kept = this.#read('agent.json', agentFile);
    if (kept) return kept;
    const made = { agentId: randomUUIDv7(), name, ...createIdentity() };
    this.saveIdentity(made);
    return made;
  }

  /** Who this agent is, if it ever ran here and the file can be read. */
  known(): AgentFile | undefined {
    try {
      return this.#read('agent.json', agentFile);
    } catch {
      return undefined;
    }
  }

  saveIdentity(file: AgentFile): void {
    this.#replace('agent.json', file);
  }

  /** The tasks of the last connection: an agent that starts while its server is away continues with them. */
  tasks(): readonly Task[] {
    try {
      return (this.#read('tasks.json', tasksFile) as readonly Task[] | undefined) ?? [];
    } catch {
      // The server sends them again, so an unreadable file must not prevent the start.
      return [];
    }
  }

  async saveTasks(tasks: readonly Task[]): Promise<void> {
    await this.files.replaceSoon('tasks.json', JSON.stringify(tasks));
  }

  /** The last sensor order, for a start without the server; an empty order if it cannot be read. */
  sensorOrder(): KeptOrder {
    const nothing = { sensors: [], by: '' };
    try {
      return this.#read('sensors.json', keptOrder) ?? nothing;
    } catch {
      // Never collect more than was ordered: without a readable order, collect nothing until the server sends it again.
      return nothing;
    }
  }

  /** Throws the disk's error. The old order is then deleted, because it may have allowed more. */
  saveSensorOrder(order: KeptOrder): void {
    try {
      this.#replace('sensors.json', order);
    } catch (error) {
      this.files.remove('sensors.json');
      throw error;
    }
  }

  /** Where the folder was when the agent last started in it; undefined if that is not known. */
  place(): Place | undefined {
    try {
      return this.#read('place.json', placeFile);
    } catch {
      // It only tells copies apart; the server tells them too, a little later.
      return undefined;
    }
  }

  savePlace(place: Place): void {
    this.#replace('place.json', place);
  }

  #read<Value>(name: string, schema: z.ZodType<Value>): Value | undefined {
    const file = join(this.path, name);
    let text: string | undefined;
    try {
      text = this.files.read(name);
    } catch (error) {
      throw new AppError('invalid-config', `${file} cannot be read: ${(error as Error).message}`, { cause: error });
    }
    if (text === undefined) return undefined;
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      const next = 'Move it away to start as a new agent, which then needs a new join token.';
      throw new AppError('invalid-config', `${file} is not what this agent wrote. ${next}`, { cause: error });
    }
  }

  #replace(name: string, value: unknown): void {
    this.files.replace(name, JSON.stringify(value));
  }
}
