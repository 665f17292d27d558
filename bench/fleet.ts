// What one server takes: results of 50 simulated agents over real connections, each acknowledged once it is synced to the disk.
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { cpuSecondsOf, joinAgents, ServerProcess } from '../src/testing/server-process.ts';
import { SimulatedFleet, type FleetFigures } from '../src/testing/simulated-fleet.ts';
import { temporaryFolder } from '../test/peers/daemon.ts';

const agents = 50;
const monitors = 1000;
const warmUpMs = 5000;
const measuredMs = 20_000;
const budget = { resultsPerSecond: 50_000, loopLagMs: 50 };
/** What is offered: the budget, and more than a server can take. */
const offers = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [budget.resultsPerSecond, 120_000];

export async function run(): Promise<void> {
  console.log(`${agents} agents with ${monitors} tasks each; load before ${loadavg()[0]?.toFixed(1)}`);
  for (const offered of offers) await measure(offered);
  console.log(`budget: ${budget.resultsPerSecond} results/s, event loop p99.9 ≤ ${budget.loopLagMs} ms`);
}

async function measure(offered: number): Promise<void> {
  await using folder = await temporaryFolder('fleet');
  const data = join(folder.path, 'data');
  const { serverPin, identities } = await joinAgents(data, agents);
  await using server = await ServerProcess.start({
    folder: data,
    configuration: configuration(),
    port: await ServerProcess.freePort(),
    nodeOptions: process.env['SERVER_NODE_OPTIONS'] ?? '',
  });
  await using fleet = new SimulatedFleet({
    url: server.url,
    serverPin,
    identities,
    resultsPerSecond: offered / agents,
  });
  await until(fleet, ({ tasks }) => tasks === agents * monitors);
  fleet.begin();
  await pause(warmUpMs);
  await server.metrics();
  const before = await look(server, fleet);
  await pause(measuredMs);
  const after = await look(server, fleet);
  const seconds = (after.atMs - before.atMs) / 1000;
  const results = after.figures.acknowledged - before.figures.acknowledged;
  const spent = (cpu: keyof typeof before.cpu): number => ((after.cpu[cpu] - before.cpu[cpu]) / results) * 1e6;
  const each = (cpu: keyof typeof before.cpu): string => spent(cpu).toFixed(1);
  const allUs = spent('main') + spent('others') + spent('agents');
  const { p50, p99, max } = after.figures.acknowledgedAfterMs;
  console.log(
    `offered ${offered}/s: ${Math.round(results / seconds)} committed and acknowledged/s, ` +
      `${after.figures.waiting} waiting at the end; acknowledged after p50 ${p50} ms, p99 ${p99} ms, max ${max} ms\n` +
      `  CPU a result: server's main thread ${each('main')} µs, its others ${each('others')} µs, the agents ${each('agents')} µs: ` +
      `two cores of their own would pay for ${Math.round(2e6 / allUs)}/s; ` +
      `server ${Math.round(await server.residentMiB())} MiB; ${after.figures.connections} connections\n` +
      `  event loop lag p99.9 ${after.lagMs.toFixed(1)} ms; load ${loadavg()[0]?.toFixed(1)}`,
  );
  fleet.end();
  await until(fleet, ({ waiting }) => waiting === 0);
  const { made, acknowledged } = await fleet.figures();
  console.log(
    `  ${made} made, ${acknowledged} acknowledged, ${counted(await server.metrics(), 'watchkeeper_results_total')} committed`,
  );
  if (process.env['SHOW_OUTPUT']) console.log(server.output.slice(-3000));
  if (process.env['SERVER_NODE_OPTIONS']) await server.end('SIGTERM');
}

async function look(server: ServerProcess, fleet: SimulatedFleet) {
  const figures = await fleet.figures();
  const { main, others } = await server.cpuSeconds();
  const agents = await cpuSecondsOf(fleet.pid);
  const lagMs = 1000 * counted(await server.metrics(), 'watchkeeper_event_loop_lag_seconds{percentile="99.9"}');
  return { atMs: performance.now(), figures, cpu: { main, others, agents: agents.main + agents.others }, lagMs };
}

function counted(metrics: string, sample: string): number {
  return Number(
    metrics
      .split('\n')
      .find((line) => line.startsWith(`${sample} `))
      ?.slice(sample.length),
  );
}

function configuration(): string {
  const lines = Array.from(
    { length: monitors },
    (_, index) => `  - { name: monitor ${index}, type: http, target: 'http://192.0.2.1/${index}', interval: 1s }\n`,
  );
  return `monitors:\n${lines.join('')}`;
}

async function until(fleet: SimulatedFleet, isSo: (figures: FleetFigures) => boolean): Promise<void> {
  const deadline = performance.now() + 300_000;
  for (let figures = await fleet.figures(); !isSo(figures); figures = await fleet.figures()) {
    if (performance.now() > deadline)
      throw new Error(`the agents are not where they should be: ${JSON.stringify(figures)}`);
    await pause(100);
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

if (import.meta.main) await run();
