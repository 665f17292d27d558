import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { acceptsTcp, startDaemon, temporaryFolder } from './daemon.ts';

export interface Sshd extends AsyncDisposable {
  readonly port: number;
  /** What it printed so far: its log. */
  output(): string;
}

/** A real sshd of OpenSSH in a temporary folder; needs root. */
export async function startSshd(options = ''): Promise<Sshd> {
  const folder = await temporaryFolder('sshd');
  const port = await closedPort();
  const key = join(folder.path, 'key');
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const config = join(folder.path, 'sshd_config');
  await writeFile(
    config,
    `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${key}\nPidFile none\nUsePAM no\n${options}\n`,
  );
  // Its unprivileged part is locked in there.
  await mkdir('/run/sshd', { recursive: true });
  const sshd = await startDaemon(['/usr/sbin/sshd', '-D', '-e', '-f', config], { ready: () => acceptsTcp(port) });
  return {
    port,
    output: () => sshd.output(),
    async [Symbol.asyncDispose]() {
      await sshd[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
