import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { systemClock } from '../src/core/clock.ts';
import type { QueryAnswer, QueryChannel } from '../src/core/network.ts';
import { createNetwork } from '../src/net/network.ts';

/** Echoes per second from one thread, and round trips with the event loop idle and blocked half of the time, beside fping. */

const targets = Array.from({ length: 250 }, (_, index) => `127.0.0.${index + 1}`);
// fping gives each packet a number for ten seconds and has 65,536 of them.
const echoesPerTarget = 250;
const inFlight = 64;
const rounds = 3;
const payloadBytes = 56;

const slowEchoes = 300;
const periodMs = 5;
const blockedMs = 20;

export interface IcmpFigures {
  readonly oursPerSecond: number;
  readonly fpingPerSecond: number;
  readonly ratio: number;
  readonly medianUs: { readonly fping: number; readonly idle: number; readonly blocked: number };
}

/** Both sides send the same packets to the same addresses of 127.0.0.0/8, turn by turn. Needs root, as fping does. */
export async function run(): Promise<IcmpFigures> {
  await floodPerSecond();
  const flood = await takeTurns({ fping: fpingPerSecond, ours: floodPerSecond });
  const medianUs = await takeTurns({ fping: fpingMedianUs, idle: idleMedianUs, blocked: blockedMedianUs });
  return { oursPerSecond: flood.ours, fpingPerSecond: flood.fping, ratio: flood.ours / flood.fping, medianUs };
}

/** Each measurement several times, one after the other, so that a busy spell of the machine meets all of them. */
async function takeTurns<Name extends string>(
  measurements: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number>> {
  // The keys of a record of these names are these names.
  const names = Object.keys(measurements) as Name[];
  const figures = new Map(names.map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++)
    for (const name of names) figures.get(name)?.push(await measurements[name]());
  return Object.fromEntries(names.map((name) => [name, median(figures.get(name) ?? [])])) as Record<Name, number>;
}

const net = createNetwork({ clock: systemClock });
const execute = promisify(execFile);

type Reply = Extract<QueryAnswer, { kind: 'reply' }>;

function open(host: string, onReply: (reply: Reply) => void): Promise<QueryChannel> {
  const onAnswer = (answer: QueryAnswer): void => {
    if (answer.kind !== 'reply') throw new Error(`${host} did not reply: ${JSON.stringify(answer)}`);
    onReply(answer);
  };
  const signal = AbortSignal.timeout(60_000);
  return net.openQueries({ protocol: 'icmp', host }, { size: payloadBytes, signal, onAnswer });
}

/** Goes round the targets, as fping does, with a fixed number of packets on their way. */
async function floodPerSecond(): Promise<number> {
  const total = targets.length * echoesPerTarget;
  const { promise: done, resolve } = Promise.withResolvers<void>();
  let sent = 0;
  let received = 0;
  const sendNext = (): void => {
    if (sent < total) channels[sent % targets.length]?.send(Math.floor(sent++ / targets.length));
  };
  const onReply = (): void => {
    if (++received === total) resolve();
    sendNext();
  };
  const started = performance.now();
  const channels = await Promise.all(targets.map((host) => open(host, onReply)));
  for (let packet = 0; packet < inFlight; packet++) sendNext();
  await done;
  const perSecond = (1000 * total) / (performance.now() - started);
  for (const channel of channels) channel[Symbol.dispose]();
  return perSecond;
}

async function fpingPerSecond(): Promise<number> {
  const flags = ['-q', '-s', '-i', '0', '-p', '1', '-c', String(echoesPerTarget), '-b', String(payloadBytes)];
  const { stderr } = await execute('fping', [...flags, ...targets]);
  const figure = (pattern: RegExp): number => Number(pattern.exec(stderr)?.[1]);
  return figure(/(\d+) ICMP Echo Replies/) / figure(/([\d.]+) sec/);
}

/** The median of packets sent at a steady pace to one target. */
async function idleMedianUs(): Promise<number> {
  const roundTripsMs: number[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  using channel = await open('127.0.0.1', ({ rttMs }) => {
    if (roundTripsMs.push(rttMs) === slowEchoes) resolve();
  });
  let sequence = 0;
  const pace = setInterval(() => {
    if (sequence < slowEchoes) channel.send(sequence++);
  }, periodMs);
  await done;
  clearInterval(pace);
  return 1000 * median(roundTripsMs);
}

async function blockedMedianUs(): Promise<number> {
  const block = setInterval(() => {
    const until = performance.now() + blockedMs;
    while (performance.now() < until);
  }, 2 * blockedMs);
  const figure = await idleMedianUs();
  clearInterval(block);
  return figure;
}

async function fpingMedianUs(): Promise<number> {
  const flags = ['-q', '-C', String(slowEchoes), '-p', String(periodMs), '-b', String(payloadBytes)];
  const { stderr } = await execute('fping', [...flags, '127.0.0.1']);
  return 1000 * median(stderr.split(':')[1]?.trim().split(/\s+/).map(Number) ?? []);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

if (import.meta.main) {
  const { oursPerSecond, fpingPerSecond, ratio, medianUs } = await run();
  const { fping, idle, blocked } = medianUs;
  console.log(
    `ICMP echoes per second: ours ${oursPerSecond.toFixed(0)}, fping ${fpingPerSecond.toFixed(0)}, ratio ${ratio.toFixed(2)}\n` +
      `ICMP median round trip: fping ${fping.toFixed(0)} µs, ours ${idle.toFixed(0)} µs, ` +
      `with the event loop blocked half of the time ${blocked.toFixed(0)} µs`,
  );
}
