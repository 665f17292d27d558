import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeFolder } from '../../src/testing/remove-folder.ts';

export interface Daemon extends AsyncDisposable {
  readonly pid: number;
  /** What it printed so far, both streams. */
  output(): string;
}

interface DaemonOptions {
  /** True once the daemon serves; asked every 20 ms. */
  readonly ready: () => Promise<boolean>;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

const startLimitMs = 15_000;
const stopLimitMs = 5000;

/** Starts a real daemon in the foreground and waits until it serves. Disposing ends it by its own pid. */
export async function startDaemon(
  command: readonly [string, ...string[]],
  { ready, cwd, env }: DaemonOptions,
): Promise<Daemon> {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd && { cwd }),
    env: env ?? process.env,
  });
  let output = '';
  const keep = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-64_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let failedToStart: Error | undefined;
  child.once('error', (error) => (failedToStart = error));
  const deadline = performance.now() + startLimitMs;
  while (!(await ready())) {
    const ended = failedToStart ?? (child.exitCode === null ? undefined : new Error(`exit code ${child.exitCode}`));
    const late = performance.now() > deadline ? new Error(`not ready after ${startLimitMs} ms`) : undefined;
    if (ended ?? late) {
      await stop(child);
      throw new Error(`${command.join(' ')}: ${(ended ?? late)?.message}\n${output}`);
    }
    await pause(20);
  }
  return {
    pid: child.pid ?? 0,
    output: () => output,
    [Symbol.asyncDispose]: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
  await ended;
  clearTimeout(kill);
}

/** True when something accepts TCP connections there. */
export function acceptsTcp(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/** A folder of its own for a daemon's files, removed on dispose. */
export async function temporaryFolder(name: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `watchkeeper-${name}-`));
  return { path, [Symbol.asyncDispose]: () => removeFolder(path) };
}

/** Why a test that needs these programs cannot run here, or false: the value of `skip`. */
export function missing(...programs: readonly string[]): string | false {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  const absent = programs.filter((program) => !folders.some((folder) => existsSync(join(folder, program))));
  return absent.length > 0 && `not installed: ${absent.join(', ')}; npm test installs it where it is root`;
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
