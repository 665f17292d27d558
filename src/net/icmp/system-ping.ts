import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock } from '../../core/clock.ts';
import { Failure } from '../../core/failure.ts';
import type { Address, IcmpError, QueryAnswer, QueryChannel } from '../../core/network.ts';
import type { EchoOptions } from './echo-channels.ts';
import { answerOfError } from './error-answer.ts';

// ping ends after an ICMP error if it has no other packet to send, and would miss the reply. The channel is disposed of,
// which ends ping, long before it sends its second packet.
const secondPacketSeconds = 86_400;
const maxOutputBytes = 4096;

const hint =
  'To let this user send echo requests: sysctl -w net.ipv4.ping_group_range="0 2147483647", or install the ping command.';

/** Echo requests by the system's `ping`, one process for each: where this process may open no ICMP socket itself. */
export function openSystemPing(address: Address, options: EchoOptions, clock: Clock): Omit<QueryChannel, 'resolveMs'> {
  const ping = new SystemPing(address, options, clock);
  return {
    address,
    via: 'ping',
    send: (sequence, ttl = options.ttl) => ping.send(sequence, ttl),
    [Symbol.dispose]: () => ping.close(),
  };
}

class SystemPing {
  readonly #address: Address;
  readonly #options: EchoOptions;
  readonly #clock: Clock;
  readonly #children = new Set<ChildProcess>();
  #isOpen = true;

  constructor(address: Address, options: EchoOptions, clock: Clock) {
    this.#address = address;
    this.#options = options;
    this.#clock = clock;
  }

  send(sequence: number, ttl: number | undefined): void {
    const sentMs = this.#clock.monotonic();
    const child = spawnPing(pingArguments(this.#address, { ...this.#options, ttl }));
    if (child instanceof Error) {
      setImmediate(() => this.#deliver(notStarted(sequence, child)));
      return;
    }
    this.#children.add(child);
    let output = '';
    const answerIn = (text: string): QueryAnswer | undefined =>
      readPing(text, { sequence, elapsedMs: this.#clock.monotonic() - sentMs });
    const tell = this.#teller(child);
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString('latin1')).slice(0, maxOutputBytes);
      const answer = answerIn(output.slice(0, output.lastIndexOf('\n') + 1));
      // A complaint may have a second line.
      if (answer?.kind !== 'unsent') tell(answer);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', (cause) => tell(notStarted(sequence, cause)));
    child.once('close', () => {
      tell(answerIn(output));
      this.#children.delete(child);
    });
  }

  close(): void {
    this.#isOpen = false;
    for (const child of this.#children) this.#end(child);
  }

  /** Hands answers on: an error once, for a reply may still follow; anything else ends the process. */
  #teller(child: ChildProcess): (answer: QueryAnswer | undefined) => void {
    const address = this.#address;
    let told: QueryAnswer['kind'] | undefined;
    return (answer) => {
      if (!answer || answer.kind === told || !this.#children.has(child)) return;
      told = answer.kind;
      if (answer.kind === 'error')
        return this.#deliver(answerOfError(answer.error, answer.from, { ...answer, address }));
      this.#end(child);
      this.#deliver(answer);
    };
  }

  #end(child: ChildProcess): void {
    this.#children.delete(child);
    child.kill();
  }

  #deliver(answer: QueryAnswer): void {
    if (this.#isOpen) this.#options.onAnswer(answer);
  }
}

/** Node reports some errors by an event and throws the others: EPERM, where this process may not gain the rights of `ping`. */
function spawnPing(flags: readonly string[]): ChildProcessByStdio<null, Readable, Readable> | NodeJS.ErrnoException {
  try {
    return spawn('ping', flags, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

const mayNotRun = 'this process may not run ping, which has rights that were taken from it';

/** Reasons why ping cannot be started, by errno; any other errno means that this machine has run out of something. */
const reasonsOfSpawn: Readonly<Record<string, string>> = {
  ENOENT: 'there is no ping command',
  ENOTDIR: 'there is no ping command',
  EPERM: `${mayNotRun} (EPERM)`,
  EACCES: `${mayNotRun} (EACCES)`,
  ENOEXEC: 'ping is no program of this machine (ENOEXEC)',
};

function notStarted(sequence: number, cause: NodeJS.ErrnoException): QueryAnswer {
  const why = reasonsOfSpawn[cause.code ?? ''];
  if (why !== undefined) return unsupported(sequence, why, cause);
  const words =
    cause.code === 'EAGAIN' ? 'this machine lets this user start no more processes' : 'it cannot be started';
  const message = `Starting ping: ${words} (${cause.code ?? cause.message}).`;
  return { kind: 'unsent', sequence, error: new Failure('exhausted', message, { cause }) };
}

function pingArguments({ ip, family }: Address, options: EchoOptions): string[] {
  const { size, ttl, dontFragment = false, source, dscp } = options;
  const always = [`-${family}`, '-n', '-c', '2', '-i', String(secondPacketSeconds), '-s', String(size)];
  const flags = [
    ...(ttl === undefined ? [] : ['-t', String(ttl)]),
    ...(dontFragment ? ['-M', 'do'] : []),
    ...(source === undefined ? [] : ['-I', source]),
    // Of the byte that DSCP is the upper six bits of.
    ...(dscp === undefined ? [] : ['-Q', String(dscp << 2)]),
  ];
  return [...always, ...flags, ip];
}

interface PingRun {
  readonly sequence: number;
  readonly elapsedMs: number;
}

/** Reads the output of iputils' ping about one packet; undefined if there was no answer. */
export function readPing(output: string, { sequence, elapsedMs }: PingRun): QueryAnswer | undefined {
  const reply = /bytes from (\S+?):? .*?ttl=(\d+)(?: time=([\d.]+))?/.exec(output);
  if (reply) {
    const [, from = '', ttl, time] = reply;
    // Packets under 16 bytes carry no time of sending: then it is the life of the process.
    const rttMs = time === undefined ? elapsedMs : Number(time);
    return { kind: 'reply', sequence, from, rttMs, ttl: Number(ttl), duplicate: false };
  }
  for (const [, from, text = ''] of output.matchAll(/From (\S+?):? icmp_seq=\d+ (.+)/g)) {
    const error = readPingError(text);
    if (error) return { kind: 'error', sequence, from, rttMs: elapsedMs, error };
  }
  const tooBig = /message too long, mtu[=:] ?(\d+)/i.exec(output);
  if (tooBig) {
    const icmp = { kind: 'too-big', text: 'packet too big', mtu: Number(tooBig[1]) } as const;
    return { kind: 'error', sequence, from: undefined, rttMs: elapsedMs, error: icmp };
  }
  const complaints = [...output.matchAll(/^ping: (.+)$/gm)].map(([, complaint]) => complaint);
  return complaints.length > 0 ? unsupported(sequence, `ping says: ${complaints.join('; ')}`) : undefined;
}

/** Undefined for what says nothing of the packet's fate. */
function readPingError(text: string): IcmpError | undefined {
  const words = text.trim().toLowerCase();
  if (/^(?:redirect|source quench)/.test(words)) return undefined;
  const mtu = Number(/mtu ?[=:] ?(\d+)/.exec(words)?.[1] ?? 0);
  if (/frag needed|too big/.test(words)) return { kind: 'too-big', text: 'packet too big', ...(mtu > 0 && { mtu }) };
  if (/time to live exceeded|hop limit/.test(words)) return { kind: 'time-exceeded', text: 'time to live exceeded' };
  const what = words.replace(/^destination /, '');
  return { kind: words.includes('port') ? 'port-unreachable' : 'unreachable', text: what };
}

function unsupported(sequence: number, why: string, cause?: Error): QueryAnswer {
  const message = `This process may open no ICMP socket, and ${why}. ${hint}`;
  return { kind: 'unsent', sequence, error: new Failure('unsupported', message, { cause }) };
}
