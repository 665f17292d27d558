// A server that restarts under 1,000 agents: how soon all are back, and whether it answers meanwhile.
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { joinAgents, ServerProcess } from '../src/testing/server-process.ts';
import { SimulatedFleet } from '../src/testing/simulated-fleet.ts';
import { temporaryFolder } from '../test/peers/daemon.ts';

const agents = 1000;
const monitors = 10;
const resultsPerSecond = 1;
const budget = { backMs: 60_000, loopLagMs: 50 };
const healthLimitMs = 1000;

export async function run(): Promise<void> {
  await using folder = await temporaryFolder('reconnect');
  const data = join(folder.path, 'data');
  const { serverPin, identities } = await joinAgents(data, agents);
  const parts = { folder: data, configuration: configuration(), port: await ServerProcess.freePort() };
  const before = await ServerProcess.start(parts);
  await using fleet = new SimulatedFleet({ url: before.url, serverPin, identities, resultsPerSecond });
  while ((await fleet.figures()).tasks < agents * monitors) await pause(100);
  fleet.begin();
  await pause(10_000);
  const { connections } = await fleet.figures();
  await before.end('SIGKILL');
  // Long enough that every agent has noticed, and has results that wait.
  await pause(10_000);

  await using server = await ServerProcess.start(parts);
  const startedMs = performance.now();
  await server.metrics();
  using health = watchHealth(server);
  while ((await fleet.figures()).connections < connections + agents) {
    if (performance.now() - startedMs > budget.backMs) break;
    await pause(50);
  }
  const backMs = performance.now() - startedMs;
  const back = (await fleet.figures()).connections - connections;
  fleet.end();
  while ((await fleet.figures()).waiting > 0) await pause(100);
  const settledMs = performance.now() - startedMs;
  const lag = /event_loop_lag_seconds\{percentile="99.9"\} (\S+)/.exec(await server.metrics())?.[1];
  console.log(
    `${back} of ${agents} agents back after ${(backMs / 1000).toFixed(1)} s, all that waited told after ${(settledMs / 1000).toFixed(1)} s; ` +
      `${health.missed} of ${health.asked} health checks missed, the slowest took ${health.slowestMs.toFixed(0)} ms; ` +
      `event loop lag p99.9 ${(Number(lag) * 1000).toFixed(1)} ms; server ${(await server.residentMiB()).toFixed(0)} MiB; load ${loadavg()[0]?.toFixed(1)}\n` +
      `budget: ${budget.backMs / 1000} s, no health check missed, p99.9 ≤ ${budget.loopLagMs} ms`,
  );
}

/** Asks /healthz each second, as a balancer does. */
function watchHealth(server: ServerProcess) {
  const seen = { asked: 0, missed: 0, slowestMs: 0 };
  const ask = async (): Promise<void> => {
    const askedMs = performance.now();
    seen.asked++;
    const isWell = await server.answers();
    const tookMs = performance.now() - askedMs;
    seen.slowestMs = Math.max(seen.slowestMs, tookMs);
    if (!isWell || tookMs > healthLimitMs) seen.missed++;
  };
  const timer = setInterval(() => void ask(), 1000);
  return Object.assign(seen, { [Symbol.dispose]: () => clearInterval(timer) });
}

function configuration(): string {
  const lines = Array.from(
    { length: monitors },
    (_, index) => `  - { name: monitor ${index}, type: http, target: 'http://192.0.2.1/${index}', interval: 10s }\n`,
  );
  return `monitors:\n${lines.join('')}`;
}

if (import.meta.main) await run();
