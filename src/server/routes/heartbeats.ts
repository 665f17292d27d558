import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import { AppError } from '../../core/errors.ts';
import type { Signal } from '../../core/heartbeat.ts';
import type { PingVerdict } from '../heartbeats/heartbeats.ts';

interface HeartbeatPorts {
  take(key: string, ping: { signal: Signal; tail: string; address: string }): Promise<PingVerdict>;
  addressOf(request: IncomingMessage): string;
}

/** The end of what a job wrote says why it failed. */
const maxTailBytes = 8 * 1024;
/** More is not read: the signal counts all the same. */
const maxBodyBytes = 16 * 1024 * 1024;
const maxExitCode = 4_294_967_295;

/**
 * What jobs ask for, without a token: /hb/KEY is a success, /hb/KEY/start, /hb/KEY/fail and /hb/KEY/EXIT-CODE say what they are
 * called. A body is the end of the job's log. The answers are lines for logs of cron.
 */
export function addHeartbeats(app: Hono, ports: HeartbeatPorts): void {
  app.all('/hb/:key/:signal?', async (context) => {
    const { method } = context.req.raw;
    if (!['GET', 'HEAD', 'POST'].includes(method))
      return line(context, [405, `expected GET, HEAD or POST, got ${method}`], { Allow: 'GET, HEAD, POST' });
    const signal = signalOf(context.req.param('signal'));
    if (!signal) return line(context, [404, 'expected /hb/KEY, and start, fail or an exit code behind it']);
    const { tail, isWhole } = await tailOf(context.req.raw.body);
    const close = isWhole ? {} : { Connection: 'close' };
    const address = ports.addressOf((context.env as HttpBindings).incoming);
    try {
      return answer(context, await ports.take(context.req.param('key'), { signal, tail, address }), close);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'unavailable') throw error;
      return line(context, [503, 'not kept: the server cannot store it now; send it again'], { 'Retry-After': '10' });
    }
  });
}

function answer(context: Context, verdict: PingVerdict, headers: Headers): Response {
  if (verdict === 'kept') return line(context, [200, 'OK'], headers);
  if (verdict === 'unknown') return line(context, [404, 'no heartbeat has this key'], headers);
  return line(context, [429, 'too many requests: not kept'], { ...headers, 'Retry-After': '5' });
}

type Headers = Readonly<Record<string, string>>;

function line(
  context: Context,
  [status, text]: readonly [200 | 404 | 405 | 429 | 503, string],
  headers: Headers = {},
): Response {
  return context.text(`${text}\n`, status, headers);
}

function signalOf(word: string | undefined): Signal | undefined {
  if (word === undefined) return { kind: 'success' };
  if (word === 'start') return { kind: 'start' };
  if (word === 'fail') return { kind: 'failure' };
  const exitCode = /^-?\d{1,10}$/.test(word) ? Number(word) : NaN;
  if (!(Math.abs(exitCode) <= maxExitCode)) return undefined;
  return exitCode === 0 ? { kind: 'success' } : { kind: 'failure', exitCode };
}

interface Tail {
  readonly tail: string;
  /** Whether all of the body was read. */
  readonly isWhole: boolean;
}

/** The end of a body, as text; of one that breaks off, what came. */
async function tailOf(body: ReadableStream<Uint8Array> | null): Promise<Tail> {
  let kept = Buffer.alloc(0);
  let bytes = 0;
  try {
    for await (const piece of body ?? []) {
      bytes += piece.length;
      kept = Buffer.concat([kept, piece.subarray(-maxTailBytes)]).subarray(-maxTailBytes);
      if (bytes > maxBodyBytes) return { tail: textOf(kept), isWhole: false };
    }
  } catch {
    return { tail: textOf(kept), isWhole: false };
  }
  return { tail: textOf(kept), isWhole: true };
}

/** A character that was cut is left out. */
function textOf(bytes: Buffer): string {
  const start = bytes.findIndex((byte) => (byte & 0xc0) !== 0x80);
  const isCut = bytes.length === maxTailBytes && start > 0 && start < 4;
  return bytes.toString('utf8', isCut ? start : 0);
}
