// HTTP checks on their whole path: schedule, check, spool, server, store, every one synced twice. How many a CPU-second of agent and server pays for.
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuSecondsOf, ServerProcess } from '../src/testing/server-process.ts';
import { startNginx } from '../test/peers/nginx.ts';
import { temporaryFolder } from '../test/peers/daemon.ts';

/** At 1 s: a quarter of what one agent can do, and most of it; the rarer the checks, the less they share. */
const loads = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1000, 3000];
const warmUpMs = 15_000;
const measuredMs = 30_000;
const budget = 4000;

export async function run(): Promise<void> {
  for (const monitors of loads) await measure(monitors);
}

async function measure(monitors: number): Promise<void> {
  await using nginx = await startNginx();
  await using folder = await temporaryFolder('whole-path');
  await using server = await ServerProcess.start({
    folder: join(folder.path, 'data'),
    configuration: configuration(monitors, nginx.url('plain')),
    port: await ServerProcess.freePort(),
    localAgent: true,
    nodeOptions: process.env['SERVER_NODE_OPTIONS'] ?? '',
  });
  await pause(warmUpMs);
  const before = await look(server);
  await pause(measuredMs);
  const after = await look(server);
  const results = after.results - before.results;
  const spent = (part: keyof typeof before.cpu): number => after.cpu[part] - before.cpu[part];
  const each = (part: keyof typeof before.cpu): string => `${((spent(part) / results) * 1e6).toFixed(0)} µs`;
  const seconds = spent('agent') + spent('agentThreads') + spent('server') + spent('serverThreads');
  console.log(
    `${results} HTTP checks of ${monitors} monitors at 1 s in ${measuredMs / 1000} s: ${Math.round(results / seconds)} per CPU-second ` +
      `of agent and server together (budget: ${budget}); ${after.ups} of ${monitors} are up\n` +
      `each costs the agent's main thread ${each('agent')} and its others ${each('agentThreads')}, ` +
      `the server's main thread ${each('server')} and its others ${each('serverThreads')}; load ${loadavg()[0]?.toFixed(1)}`,
  );
  if (process.env['SERVER_NODE_OPTIONS'] !== undefined) await server.end('SIGTERM');
}

async function look(server: ServerProcess) {
  const metrics = await server.metrics();
  const [agent, own] = [await cpuSecondsOf(await server.agentPid()), await server.cpuSeconds()];
  return {
    results: Number(/^watchkeeper_results_total (\d+)$/m.exec(metrics)?.[1]),
    ups: metrics.match(/^probe_success\{.*\} 1$/gm)?.length ?? 0,
    cpu: { agent: agent.main, agentThreads: agent.others, server: own.main, serverThreads: own.others },
  };
}

function configuration(monitors: number, url: string): string {
  const lines = Array.from(
    { length: monitors },
    (_, index) => `  - { name: monitor ${index}, type: http, target: '${url}', interval: 1s }\n`,
  );
  return `monitors:\n${lines.join('')}`;
}

if (import.meta.main) await run();
