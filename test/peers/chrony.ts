import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeNtpRequest } from '../../src/net/packets/ntp.ts';
import { closedUdpPort } from '../../src/testing/udp-server.ts';
import { startDaemon, temporaryFolder } from './daemon.ts';

export interface Chrony extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

const host = '127.0.0.1';

/** A real chronyd that serves this machine's clock on a free port and leaves the clock alone. `lines` end its configuration. */
export async function startChrony(lines: readonly string[] = ['local stratum 8']): Promise<Chrony> {
  const folder = await temporaryFolder('chrony');
  const port = await closedUdpPort();
  const file = join(folder.path, 'chrony.conf');
  const configuration = [
    `port ${port}`,
    'cmdport 0',
    `bindaddress ${host}`,
    `allow ${host}`,
    `pidfile ${join(folder.path, 'chrony.pid')}`,
    ...lines,
  ];
  await writeFile(file, `${configuration.join('\n')}\n`);
  const daemon = await startDaemon(['chronyd', '-d', '-x', '-U', '-u', 'root', '-f', file], {
    ready: () => answers(port),
  });
  return {
    host,
    port,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** True once something answers an NTP request there. */
async function answers(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.connect(port, host);
    await once(socket, 'connect');
    socket.send(encodeNtpRequest(1n));
    await once(socket, 'message', { signal: AbortSignal.timeout(200) });
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
