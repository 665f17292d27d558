import { monitorEventLoopDelay } from 'node:perf_hooks';
import { tcp } from '../src/checks/tcp/tcp.ts';
import { systemClock as clock } from '../src/core/clock.ts';
import type { Monitor } from '../src/core/monitor.ts';
import { up } from '../src/core/outcome.ts';
import { createNetwork } from '../src/net/network.ts';
import { LagGuard } from '../src/schedule/lag.ts';
import { runMonitor } from '../src/schedule/runner.ts';
import { Scheduler, type SchedulerParts } from '../src/schedule/scheduler.ts';
import { testMonitor } from '../src/testing/monitors.ts';
import { tcpServer } from '../src/testing/tcp-server.ts';

/** How late runs begin: many monitors at 10 s on the real clock, with a run that does nothing and with real TCP checks. */

const measuredMs = 15_000;

export interface ScheduleFigures {
  readonly what: string;
  readonly monitors: number;
  readonly runs: number;
  readonly missed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly loopP99Ms: number;
  readonly cpuSeconds: number;
}

export async function run(): Promise<readonly ScheduleFigures[]> {
  const nothing = await measure('nothing', monitorsOf(20_000, {}), async (monitor, { scheduledAt }) => ({
    ...up('ok'),
    monitor,
    scheduledAt,
    startedAt: clock.now(),
    durationMs: 0,
  }));
  await using server = await tcpServer((socket) => socket.end());
  const net = createNetwork({ clock });
  const lag = new LagGuard(clock);
  const options = tcp.options.parse({ host: server.host, port: server.port });
  const checked = await measure('tcp checks', monitorsOf(10_000, options), (monitor, turn) =>
    runMonitor(monitor, { clock, net, lag, ...turn }),
  );
  lag.stop();
  return [nothing, checked];
}

function monitorsOf(count: number, options: Monitor['options']): readonly Monitor[] {
  return Array.from({ length: count }, (_, index) => testMonitor({ name: `monitor ${index}`, options }));
}

async function measure(
  what: string,
  monitors: readonly Monitor[],
  run: SchedulerParts['run'],
): Promise<ScheduleFigures> {
  const lateness: number[] = [];
  let missed = 0;
  const loop = monitorEventLoopDelay({ resolution: 5 });
  const scheduler = new Scheduler({
    clock,
    run,
    onResult({ reason, startedAt, scheduledAt }) {
      if (reason === 'missed' || reason === 'lag') missed++;
      else lateness.push(startedAt - scheduledAt);
    },
  });
  loop.enable();
  const before = process.cpuUsage();
  scheduler.reconcile(monitors);
  await new Promise((resolve) => setTimeout(resolve, measuredMs));
  await scheduler.stop();
  const { user, system } = process.cpuUsage(before);
  loop.disable();
  const sorted = lateness.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return {
    what,
    monitors: monitors.length,
    runs: sorted.length,
    missed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    loopP99Ms: loop.percentile(99) / 1e6,
    cpuSeconds: (user + system) / 1e6,
  };
}

if (import.meta.main) console.table(await run());
