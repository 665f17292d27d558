// How soon a server with 10,000 monitors answers, and the memory that it takes while their results come in.
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { joinAgents, ServerProcess } from '../src/testing/server-process.ts';
import { SimulatedFleet } from '../src/testing/simulated-fleet.ts';
import { temporaryFolder } from '../test/peers/daemon.ts';

const monitors = 10_000;
const intervalMs = 10_000;
const agents = 10;
const runsMs = 30_000;
const budget = { startMs: 3000, residentMiB: 350 };

export async function run(): Promise<void> {
  await using folder = await temporaryFolder('start');
  const data = join(folder.path, 'data');
  const { serverPin, identities } = await joinAgents(data, agents);
  const port = await ServerProcess.freePort();
  const parts = { folder: data, configuration: configuration(), port };
  console.log(`${monitors} monitors at ${intervalMs / 1000} s on ${agents} agents; load ${loadavg()[0]?.toFixed(1)}`);
  for (const which of ['first start', 'with what it knows']) {
    const startedMs = performance.now();
    await using server = await ServerProcess.start(parts);
    const wellMs = performance.now() - startedMs;
    const { main, others } = await server.cpuSeconds();
    const listed = await askApi(server, data);
    const apiMs = performance.now() - startedMs;
    const atStartMiB = await server.residentMiB();
    const fleetPlan = {
      url: server.url,
      serverPin,
      identities,
      resultsPerSecond: monitors / agents / (intervalMs / 1000),
    };
    await using fleet = new SimulatedFleet(fleetPlan);
    while ((await fleet.figures()).tasks < monitors) await pause(100);
    fleet.begin();
    let peakMiB = 0;
    for (let passedMs = 0; passedMs < runsMs; passedMs += 1000) {
      await pause(1000);
      peakMiB = Math.max(peakMiB, await server.residentMiB());
    }
    console.log(
      `${which}: /healthz after ${wellMs.toFixed(0)} ms (CPU: main thread ${main.toFixed(1)} s, others ${others.toFixed(1)} s), ${listed} monitors listed after ${apiMs.toFixed(0)} ms; ` +
        `resident ${atStartMiB.toFixed(0)} MiB then, at most ${peakMiB.toFixed(0)} MiB in ${runsMs / 1000} s of results; ` +
        `${(await fleet.figures()).acknowledged} acknowledged; load ${loadavg()[0]?.toFixed(1)}`,
    );
    await server.end('SIGTERM');
  }
  console.log(`budget: ${budget.startMs} ms, ${budget.residentMiB} MiB`);
}

async function askApi(server: ServerProcess, data: string): Promise<number> {
  const token = (await readFile(join(data, 'api-token'), 'utf8')).trim();
  const answer = await fetch(`${server.url}/api/v1/monitors`, { headers: { Authorization: `Bearer ${token}` } });
  // The shape that the route's schema gives it.
  const { monitors } = (await answer.json()) as { monitors: readonly unknown[] };
  return monitors.length;
}

/** Each monitor runs on one agent. */
function configuration(): string {
  const lines = Array.from(
    { length: monitors },
    (_, index) =>
      `  - { name: monitor ${index}, type: http, target: 'http://192.0.2.1/${index}', interval: ${intervalMs / 1000}s, agents: [agent-${index % agents}] }\n`,
  );
  return `monitors:\n${lines.join('')}`;
}

if (import.meta.main) await run();
