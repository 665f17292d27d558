import { spawn, type ChildProcess } from 'node:child_process';
import type { Clock } from '../../core/clock.ts';
import { Failure } from '../../core/failure.ts';
import type { Address, IcmpError, QueryAnswer, QueryChannel } from '../../core/network.ts';
import type { EchoOptions } from './echo-channels.ts';

// Whoever asks gives up, and disposes of the channel, long before.
const waitSeconds = 300;
const maxOutputBytes = 4096;

const hint =
  'To let this user send echo requests: sysctl -w net.ipv4.ping_group_range="0 2147483647", or install the ping command.';

/** Echo requests by the system's `ping`, one process for each: where this process may open no ICMP socket itself. */
export function openSystemPing(address: Address, options: EchoOptions, clock: Clock): Omit<QueryChannel, 'resolveMs'> {
  const children = new Set<ChildProcess>();
  return {
    address,
    via: 'ping',
    send(sequence, ttl = options.ttl) {
      const sentMs = clock.monotonic();
      const child = spawn('ping', pingArguments(address, { ...options, ttl }), {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, LC_ALL: 'C' },
      });
      children.add(child);
      const settle = (answer: QueryAnswer | undefined): void => {
        child.kill();
        if (children.delete(child) && answer) options.onAnswer(answer);
      };
      let output = '';
      const read = (chunk: Buffer): void => {
        output = (output + chunk.toString('latin1')).slice(0, maxOutputBytes);
        const lines = output.slice(0, output.lastIndexOf('\n') + 1);
        const answer = readPing(lines, { sequence, elapsedMs: clock.monotonic() - sentMs });
        // A complaint may have a second line. After a local error ping would wait, for nothing.
        if (answer && answer.kind !== 'unsent') settle(answer);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('error', (cause) => settle(unsupported(sequence, 'there is no ping command', cause)));
      child.once('close', () => settle(readPing(output, { sequence, elapsedMs: clock.monotonic() - sentMs })));
    },
    [Symbol.dispose]() {
      for (const child of children) child.kill();
      children.clear();
    },
  };
}

function pingArguments({ ip, family }: Address, { size, ttl, dontFragment = false }: EchoOptions): string[] {
  const always = [`-${family}`, '-n', '-c', '1', '-W', String(waitSeconds), '-s', String(size)];
  return [...always, ...(ttl === undefined ? [] : ['-t', String(ttl)]), ...(dontFragment ? ['-M', 'do'] : []), ip];
}

interface PingRun {
  readonly sequence: number;
  readonly elapsedMs: number;
}

/** What one `ping -c 1` of iputils printed, as an answer; undefined if nobody answered. */
export function readPing(output: string, { sequence, elapsedMs }: PingRun): QueryAnswer | undefined {
  const reply = /bytes from (\S+?):? .*?ttl=(\d+)(?: time=([\d.]+))?/.exec(output);
  if (reply) {
    const [, from = '', ttl, time] = reply;
    // Packets under 16 bytes carry no time of sending: then it is the life of the process.
    const rttMs = time === undefined ? elapsedMs : Number(time);
    return { kind: 'reply', sequence, from, rttMs, ttl: Number(ttl), duplicate: false };
  }
  const error = /From (\S+?):? icmp_seq=\d+ (.+)/.exec(output);
  if (error) {
    const [, from, text = ''] = error;
    return { kind: 'error', sequence, from, rttMs: elapsedMs, error: readPingError(text) };
  }
  const tooBig = /message too long, mtu[=:] ?(\d+)/i.exec(output);
  if (tooBig) {
    const icmp = { kind: 'too-big', text: 'packet too big', mtu: Number(tooBig[1]) } as const;
    return { kind: 'error', sequence, from: undefined, rttMs: elapsedMs, error: icmp };
  }
  const complaints = [...output.matchAll(/^ping: (.+)$/gm)].map(([, complaint]) => complaint);
  return complaints.length > 0 ? unsupported(sequence, `ping says: ${complaints.join('; ')}`) : undefined;
}

function readPingError(text: string): IcmpError {
  const words = text.trim().toLowerCase();
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
