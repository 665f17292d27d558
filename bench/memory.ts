import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Resident memory of the real command with 1,000 monitors at 10 s, half of them HTTP and half TCP, against loopback. */

const executable = fileURLToPath(new URL('../bin/watchkeeper', import.meta.url));
const monitors = 1000;
const measuredMs = 40_000;
const everyMs = 1000;

export interface MemoryFigures {
  readonly monitors: number;
  readonly results: number;
  readonly settledMiB: number;
  readonly peakMiB: number;
}

export async function run(): Promise<MemoryFigures> {
  const server = createServer((_request, response) => response.end('ok'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  const file = join(tmpdir(), `watchkeeper-memory-${process.pid}.yaml`);
  await writeFile(file, configurationOf(port));
  try {
    return await measure(file);
  } finally {
    await rm(file);
    server.closeAllConnections();
    server.close();
  }
}

function configurationOf(port: number): string {
  const lines = Array.from({ length: monitors }, (_, index) => {
    const [type, target] =
      index % 2 === 0 ? ['http', `http://127.0.0.1:${port}/${index}`] : ['tcp', `127.0.0.1:${port}`];
    return `  - { name: monitor ${index}, type: ${type}, target: '${target}', interval: 10s }\n`;
  });
  return `monitors:\n${lines.join('')}`;
}

async function measure(file: string): Promise<MemoryFigures> {
  const child = spawn(executable, ['run', file, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let results = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 10) results++;
  });
  const samples: number[] = [];
  for (let passedMs = 0; passedMs < measuredMs; passedMs += everyMs) {
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    samples.push(await residentMiB(child.pid ?? 0));
  }
  child.kill('SIGTERM');
  await once(child, 'exit');
  const peakMiB = Math.max(...samples);
  return { monitors, results, settledMiB: samples.at(-1) ?? NaN, peakMiB };
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

if (import.meta.main) console.table(await run());
