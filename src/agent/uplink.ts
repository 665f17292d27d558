import { isIP } from 'node:net';
import type { Cancel } from '../core/clock.ts';
import { Channel } from '../protocol/channel.ts';
import { ProtocolError } from '../protocol/frames.ts';
import type { Dialler, Line } from '../protocol/line.ts';
import { agentPath, serverMessage, type AgentMessage, type ServerMessage } from '../protocol/messages.ts';
import { Greeting, type AgentIdentity, type Trust } from './greeting.ts';
import type { ChainBegin } from './hosted-sensor.ts';
import { ServerSession, type SessionPorts } from './server-session.ts';

export interface UplinkPorts extends SessionPorts {
  readonly dialler: Dialler;
  readonly identity: AgentIdentity;
  readonly version: string;
  /** Asked at each greeting, because the secret of a join token is dropped once it is used. */
  trust(): Trust;
  /** 0 ≤ n < 1, for the jitter of the reconnect. */
  readonly random: () => number;
  onLink(link: LinkState): void;
}

export type LinkState =
  | { readonly state: 'connected'; readonly server: string }
  /** `waiting`: for the server to call this agent again. */
  | { readonly state: 'connecting' | 'refused' | 'waiting'; readonly server: string; readonly message: string };

interface Caller {
  /** For people. */
  readonly server: string;
  readonly onTrusted?: () => void;
  /** The line of the server that was served has ended, and no other has taken its place. */
  readonly onLost?: (error: Error | undefined) => void;
}

/** Full jitter within this: a thousand agents that lost the same server come back spread over it. */
const reconnectSpreadMs = 5000;
/** Only a person can resolve a refusal, so asking again soon would only be noise. */
const refusedDelayMs = 30_000;
/** TCP asks again after 1, 2, 4 … seconds: beyond this its pauses are longer than ours. */
const connectLimitMs = 5000;
/** One server at a time, with room for it to connect again before its old line is known to be dead. */
const maxConnections = 20;
/** Time limit for a server to prove its identity. */
const greetingLimitMs = 10_000;

/** A name may stand for several servers. */
const maxServerAddresses = 16;

/** The line to the server: one connection at a time, reopened whenever it ends. */
export class Uplink {
  readonly #ports: UplinkPorts;
  #session: ServerSession | undefined;
  /** The connection of that session. */
  #current: Channel<ServerMessage, AgentMessage> | undefined;
  /** The connection in use, and those that have not greeted yet. */
  readonly #channels = new Set<Channel<ServerMessage, AgentMessage>>();
  /** Gives the call up that is under way, if there is one. */
  #cancelDial: Cancel = () => {};
  #cancelRetry: Cancel | undefined;
  #serverAddresses: readonly string[] = [];
  #isStopped = false;

  constructor(ports: UplinkPorts) {
    this.#ports = ports;
  }

  /** IP addresses of the server, current and past; known before the first packet is sent there. */
  get serverAddresses(): readonly string[] {
    return this.#serverAddresses;
  }

  /** Entries were appended to the spool. */
  wake(): void {
    this.#session?.wake();
  }

  /** Tells the server of a new chain, if there is one at the moment. */
  announce(begin: ChainBegin): void {
    this.#session?.announce(begin);
  }

  /** Dials the server, and again whenever the line is lost. `url` is its http: or https: address. */
  dial(url: URL): void {
    if (this.#isStopped) return;
    const { clock, dialler } = this.#ports;
    this.#noteServer(url.hostname.replaceAll(/[[\]]/g, ''));
    const dialledMs = clock.monotonic();
    this.#cancelDial = dialler.dial(new URL(agentPath, url), connectLimitMs, {
      onOpen: (line) => void this.#speak(line, { server: url.host }).then((error) => this.#retry(url, error)),
      onFailed: (error) => this.#retry(url, error, clock.monotonic() - dialledMs),
      onAddress: (address) => this.#noteServer(address),
    });
  }

  /**
   * Speaks over the line of a caller; `onTrusted` is called when it has proved to be the server. Resolves when the line has
   * ended, with what went wrong.
   */
  adopt(line: Line, server: string, onTrusted = (): void => {}): Promise<Error | undefined> {
    const onLost = (error: Error | undefined): void => {
      const message = error?.message ?? 'the line was closed';
      if (!this.#isStopped) this.#ports.onLink({ state: 'waiting', server, message });
    };
    return this.#speak(line, { server, onTrusted, onLost });
  }

  #speak(line: Line, { server, onTrusted, onLost }: Caller): Promise<Error | undefined> {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    const { identity, version, source, clock } = this.#ports;
    const greeting = new Greeting({
      identity,
      trust: this.#ports.trust(),
      epoch: source.epoch,
      version,
      channelBinding: line.channelBinding,
    });
    const cancelGreeting = clock.after(greetingLimitMs, () => channel.terminate());
    const channel: Channel<ServerMessage, AgentMessage> = new Channel({
      line,
      incoming: serverMessage,
      clock,
      events: {
        onMessage: (message) => session.receive(message),
        onClose: (error) => {
          cancelGreeting();
          session.end();
          this.#channels.delete(channel);
          if (this.#session === session) {
            this.#session = undefined;
            onLost?.(error);
          }
          resolve(error);
        },
      },
    });
    const onWelcome = (serverKey: string, name: string): void => {
      cancelGreeting();
      onTrusted?.();
      // Only a server that has proved its identity replaces an older connection.
      for (const other of this.#channels) if (other !== channel) other.terminate();
      this.#session = session;
      this.#current = channel;
      this.#noteServer(server);
      this.#ports.onLink({ state: 'connected', server });
      this.#ports.onWelcome(serverKey, name);
    };
    const session = new ServerSession({ ...this.#ports, onWelcome }, { channel, greeting });
    this.#channels.add(channel);
    this.#dropOldestStranger();
    return promise;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry?.();
    this.#session?.end();
    this.#cancelDial();
    for (const channel of this.#channels) channel.close();
  }

  /** Nothing happens if it is a name. */
  #noteServer(host: string): void {
    const address = host.replace(/^::ffff:(?=\d+\.)/, '');
    if (isIP(address) === 0 || this.#serverAddresses.includes(address)) return;
    this.#serverAddresses = [...this.#serverAddresses, address].slice(-maxServerAddresses);
  }

  /** The newest caller may be the server: strangers that hold lines open must not keep it out. */
  #dropOldestStranger(): void {
    if (this.#channels.size <= maxConnections) return;
    for (const channel of this.#channels) if (channel !== this.#current) return channel.terminate();
  }

  /** `waitedMs` is the time that the failed attempt already took; it shortens the delay. */
  #retry(url: URL, error: Error | undefined, waitedMs = 0): void {
    if (this.#isStopped) return;
    // Only unavailability passes by itself; any other protocol error is a refusal.
    const isRefused = error instanceof ProtocolError && error.code !== 'unavailable';
    const spreadMs = isRefused ? refusedDelayMs : reconnectSpreadMs;
    const delayMs = Math.max(0, this.#ports.random() * spreadMs - waitedMs);
    this.#ports.onLink({
      state: isRefused ? 'refused' : 'connecting',
      server: url.host,
      message: error?.message ?? 'the line was closed',
    });
    this.#cancelRetry?.();
    this.#cancelRetry = this.#ports.clock.after(delayMs, () => this.dial(url));
  }
}
