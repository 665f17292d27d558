import { LiveTrace } from '../../checks/traceroute/live-trace.ts';
import type { TracerouteOptions } from '../../checks/traceroute/options.ts';
import { fallbackOf, openProbeChannel } from '../../checks/traceroute/probe-channel.ts';
import { sleep, systemClock as clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { Failure } from '../../core/failure.ts';
import type { Network, QueryChannel } from '../../core/network.ts';
import { failed, up, type Outcome } from '../../core/outcome.ts';
import type { EgressPolicy } from '../../net/dial/egress.ts';
import { createNetwork } from '../../net/network.ts';
import { formatOutcome } from '../../terminal/outcome-view.ts';
import { paintFor } from '../../terminal/paint.ts';
import { Screen } from '../../terminal/screen.ts';
import { traceLines, traceTable, type TraceRow } from '../../terminal/trace-view.ts';
import { columnsFor } from '../../terminal/width.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { interruption } from '../interruption.ts';

const redrawMs = 200;
const nameWaitMs = 2000;
const keysRemark = 'Keys: q quit   p pause   r reset   n names';

interface LiveSettings {
  readonly options: TracerouteOptions;
  /** From one round over the hops to the next, in milliseconds. */
  readonly intervalMs: number;
  /** Rounds; Infinity goes on until somebody stops it. */
  readonly rounds: number;
  readonly policy: EgressPolicy;
  readonly json: boolean;
}

/**
 * Shows loss and round trips of each hop, again and again, until q or Ctrl-C, as mtr does; then the table once more, and
 * whether the target answered. Returns the exit code. @throws {AppError} usage, without a terminal
 */
export async function runLiveTrace(settings: LiveSettings): Promise<number> {
  const { stdin, stdout } = process;
  if (settings.json) throw new AppError('usage', '--live is a table for people: expected no --json beside it');
  if (!stdin.isTTY || !stdout.isTTY)
    throw new AppError('usage', '--live needs a terminal; without one run the check several times: --count N');
  const interrupted = interruption();
  const net = createNetwork({ clock, policy: settings.policy });
  const outcome = await outcomeOf(settings, net, interrupted);
  const view = { paint: paintFor(stdout), columns: columnsFor(stdout), metrics: [], isVerbose: false };
  stdout.write(`${formatOutcome(outcome, view)}\n`);
  return exitCodeOf[outcome.status];
}

async function outcomeOf(settings: LiveSettings, net: Network, signal: AbortSignal): Promise<Outcome> {
  const { options, intervalMs, rounds } = settings;
  try {
    using channel = await openProbeChannel(options, { clock, net, signal }, (answer) => trace.hear(answer));
    const trace = new LiveTrace(channel, { ...options, interval: intervalMs }, clock);
    const session = new LiveSession(trace, { channel, options, net });
    await session.run(rounds, signal);
    return session.conclude();
  } catch (error) {
    if (error instanceof Failure) return error.toOutcome();
    if (signal.aborted) return failed('cancelled', 'The trace was stopped before it began.');
    throw error;
  }
}

interface SessionParts {
  readonly channel: QueryChannel;
  readonly options: TracerouteOptions;
  readonly net: Network;
}

class LiveSession {
  readonly #trace: LiveTrace;
  readonly #parts: SessionParts;
  readonly #paint = paintFor(process.stdout);
  readonly #stop = new AbortController();
  /** By address; undefined until it is known, or if there is none. */
  readonly #names = new Map<string, string | undefined>();
  #isPaused = false;
  #showsNames: boolean;

  constructor(trace: LiveTrace, parts: SessionParts) {
    this.#trace = trace;
    this.#parts = parts;
    this.#showsNames = parts.options.names;
  }

  async run(rounds: number, interrupted: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([interrupted, this.#stop.signal]);
    using screen = new Screen(process.stdout, (size) => traceLines(this.#picture(), size, this.#paint));
    using _keys = onKey((key) => {
      this.#obey(key);
      screen.draw();
    });
    const redraw = setInterval(() => screen.draw(), redrawMs);
    try {
      screen.draw();
      await this.#probe(rounds, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      clearInterval(redraw);
      this.#trace.close();
    }
  }

  /** The table, for the terminal as it was before, and what it says of the target. */
  conclude(): Outcome {
    const rows = this.#rows();
    const { stdout } = process;
    stdout.write(`${[this.#title(), ...traceTable(rows, columnsFor(stdout), this.#paint)].join('\n')}\n`);
    const { targetHop, trouble, isWaitedOut } = this.#trace;
    const { host } = this.#parts.options;
    const target = rows.find(({ hop }) => hop === targetHop);
    if (target?.figures) {
      const { sent, lossPercent, figures } = target;
      const loss = `${lossPercent.toFixed(1)} % of ${sent} packets lost`;
      return up(`${host} answers at hop ${target.hop}: ${figures.meanMs.toFixed(2)} ms, ${loss}`, {
        latencyMs: figures.meanMs,
      });
    }
    if (trouble instanceof Failure) return trouble.toOutcome();
    if (!isWaitedOut) return failed('cancelled', `The trace was stopped before ${host} had its time to answer.`);
    return failed('timeout', `${host} did not answer.`, { as: { source: 'path' } });
  }

  async #probe(rounds: number, signal: AbortSignal): Promise<void> {
    while (this.#trace.cycles < rounds) {
      if (this.#isPaused) await sleep(clock, redrawMs, signal);
      else await sleep(clock, this.#trace.probe(), signal);
    }
    await sleep(clock, this.#trace.waiting > 0 ? this.#parts.options.wait : 0, signal);
  }

  #obey(key: string): void {
    if (key === 'q' || key === ctrlC) this.#stop.abort(new DOMException('Stopped.', 'AbortError'));
    if (key === 'p' || key === ' ') this.#isPaused = !this.#isPaused;
    if (key === 'r') this.#trace.reset();
    if (key === 'n') this.#showsNames = !this.#showsNames;
  }

  #picture() {
    const { trouble } = this.#trace;
    const remark = this.#isPaused ? 'Paused: p goes on   q quit   r reset   n names' : keysRemark;
    return { title: this.#title(), remark: trouble?.message ?? remark, rows: this.#rows() };
  }

  #title(): string {
    const { options, channel } = this.#parts;
    const { host } = options;
    const { ip } = channel.address;
    const fallback = fallbackOf(options, channel);
    return `Traceroute to ${host}${host === ip ? '' : ` (${ip})`}${fallback ? ` ${fallback}` : ''}`;
  }

  #rows(): readonly TraceRow[] {
    return this.#trace.hops().map(({ addresses, hop, sent, lossPercent, figures, error }) => {
      const hosts = addresses.map((ip) => this.#hostOf(ip));
      return { hop, hosts, sent, lossPercent, figures, error };
    });
  }

  #hostOf(ip: string): string {
    if (!this.#showsNames) return ip;
    if (!this.#names.has(ip)) void this.#lookUp(ip);
    const name = this.#names.get(ip);
    return name === undefined ? ip : `${name} (${ip})`;
  }

  /** A name is an extra: without one in time the address stands alone. */
  async #lookUp(ip: string): Promise<void> {
    this.#names.set(ip, undefined);
    const signal = AbortSignal.timeout(nameWaitMs);
    const name = this.#parts.net.reverse({ ip, family: ip.includes(':') ? 6 : 4 }, { signal });
    this.#names.set(ip, await name.catch(() => undefined));
  }
}

const ctrlC = '\u0003';

/** Hands on each key as it is pressed, until disposed. */
function onKey(hear: (key: string) => void): Disposable {
  const { stdin } = process;
  const onData = (data: Buffer): void => {
    for (const key of data.toString('latin1')) hear(key);
  };
  stdin.setRawMode(true).on('data', onData).resume();
  return {
    [Symbol.dispose]() {
      stdin.off('data', onData).pause().setRawMode(false);
    },
  };
}
