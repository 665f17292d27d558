import { eventually } from '../../src/testing/eventually.ts';
import type { ChainWriter } from '../../src/testing/chain-writer.ts';
import type { AttackedServer } from './attacked-server.ts';
import { heartbeat, newIdentity, WrongAgent } from './wrong-agent.ts';

/** An agent on the wire that says of its sensors what a test wants. */
export class Liar implements Disposable {
  readonly name: string;
  readonly agentId: string;
  readonly line: WrongAgent;
  #seq = 0;

  private constructor({ name, agentId }: { readonly name: string; readonly agentId: string }, line: WrongAgent) {
    this.name = name;
    this.agentId = agentId;
    this.line = line;
  }

  static async join(server: AttackedServer, name: string): Promise<Liar> {
    const identity = newIdentity(name);
    const { agentId } = identity;
    return new Liar(
      { name, agentId },
      await WrongAgent.welcomed(server.url, { identity, token: await server.invite() }),
    );
  }

  begin({ sensor, first: { chain, key } }: ChainWriter): void {
    this.line.say({ type: 'chain-begin', sensor, chain, key });
  }

  async begun(writer: ChainWriter): Promise<void> {
    this.begin(writer);
    await this.line.until('chain-begun');
  }

  /** Resolves when they are acknowledged. */
  async send(chain: string, lines: readonly string[]): Promise<void> {
    const entries = lines.map((line) => ({ seq: ++this.#seq, item: { kind: 'record', chain, line } }));
    this.line.say({ type: 'entries', lane: 'live', epoch: '1', entries });
    await eventually('an acknowledgement', () =>
      this.line.words.some((word) => word.type === 'ack' && word.ranges.some(([, to]) => to === this.#seq)),
    );
  }

  announce(...chains: readonly object[]): void {
    this.line.say({ ...heartbeat(), chains });
  }

  /** Names of the chains that the server said it does not know. */
  unknown(): readonly string[] {
    return this.line.words.flatMap((word) => (word.type === 'chain-unknown' ? [word.chain] : []));
  }

  [Symbol.dispose](): void {
    this.line[Symbol.dispose]();
  }
}
