import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sensorRecord } from '../../src/core/record.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { dnsServer } from '../../src/testing/dns-server.ts';
import { ip, labMissing } from '../../src/testing/netlab.ts';
import { labPeers, openPeerLab, type PeerLab } from '../../src/testing/peer-lab.ts';
import { executable } from './terminal.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

/** `watch traffic` on the watched host, whose resolv.conf names the crowd as its DNS server. */
async function watchWithResolver(lab: PeerLab) {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-names-'));
  const file = join(folder, 'resolv.conf');
  await writeFile(file, `nameserver ${labPeers.crowd}\n`);
  const script = `mount --bind ${file} /etc/resolv.conf && exec ${executable} watch traffic --json`;
  using _there = lab.watched.enter();
  const program = spawn('unshare', ['--mount', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const watch = {
    stdout: '',
    async end(): Promise<void> {
      program.kill('SIGINT');
      await once(program, 'close');
      await removeFolder(folder);
    },
  };
  program.stdout.setEncoding('utf8').on('data', (text: string) => (watch.stdout += text));
  return watch;
}

test(
  'SG3: dig’s question and the answer of the configured server name a host; a forged answer names nobody',
  { skip: labMissing },
  async () => {
    await using lab = await openPeerLab();
    await lab.connect();
    await ip(lab.watched, `route add 203.0.113.0/24 via ${labPeers.crowd}`);
    const server = lab.crowd.enter();
    await using _dns = await dnsServer(
      (query) => ({
        ...query,
        flags: ['qr', 'rd', 'ra'],
        answers: [{ name: query.questions[0]?.name ?? '', type: 'A', ttlSeconds: 60, data: '203.0.113.7' }],
      }),
      { host: labPeers.crowd, port: 53 },
    );
    server[Symbol.dispose]();
    const watch = await watchWithResolver(lab);
    await eventually('it watches', () => watch.stdout.includes('"running"'));
    await lab.watched.run('dig', '+tries=1', `@${labPeers.crowd}`, 'www.example.org');
    // From another port of the same server, and to no question.
    const forge = `
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('10.94.3.3', 53))
q = b'\\x04evil\\x07example\\x00' + struct.pack('>HH', 1, 1)
s.sendto(struct.pack('>6H', 7, 0x8180, 1, 1, 0, 0) + q + q + struct.pack('>IH', 60, 4) + bytes([203, 0, 113, 8]), ('${labPeers.watched}', 40000))`;
    await lab.crowd.run('python3', '-c', forge);
    for (const peer of ['203.0.113.7', '203.0.113.8'])
      await lab.watched.run('ping', '-c', '1', '-W', '0.2', peer).catch(() => {});
    await watch.end();
    const records = watch.stdout
      .trimEnd()
      .split('\n')
      .map((line) => {
        const { at: _at, ...record } = JSON.parse(line) as { readonly at: string };
        return sensorRecord.parse(record);
      });
    const peers = records.flatMap((record) => (record.event === 'traffic' ? record.peers : []));
    const namesOf = (address: string): unknown => peers.find((peer) => peer.address === address)?.names;
    assert.deepEqual(namesOf('203.0.113.7'), [{ name: 'www.example.org', source: `dns ${labPeers.crowd}` }]);
    assert.equal(namesOf('203.0.113.8'), undefined);
    assert.doesNotMatch(watch.stdout, /evil/);
  },
);
