import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { systemClock as clock } from '../../src/core/clock.ts';
import type { DnsMessage } from '../../src/net/packets/dns/message.ts';
import { encodeMessage } from '../../src/net/packets/dns/message.ts';
import { Resolver } from '../../src/net/resolve.ts';
import { dnsServer, record, replyTo, silent, zone, type Answer } from '../../src/testing/dns-server.ts';
import { enterOwnNetwork } from '../../src/testing/netlab.ts';
import { missing, temporaryFolder } from './daemon.ts';

const execute = promisify(execFile);
const skip = (await enterOwnNetwork()) || missing('getent', 'unshare');

/** The files by which a machine looks names up; getent gets them in the places of the system. */
interface Machine {
  readonly resolvConf: string;
  readonly hosts?: string;
  readonly nsswitch?: string;
}

interface Case extends Machine {
  /** By address, all at port 53. */
  readonly servers: Readonly<Record<string, Answer>>;
  readonly host: string;
  /** What a person would expect, lest both be wrong together. */
  readonly finds: readonly string[];
  /** False where the C library gives up and we go on. */
  readonly isFoundByGetent?: false;
}

const one = 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n';
const two = 'nameserver 127.0.0.2\nnameserver 127.0.0.1\noptions timeout:1 attempts:1\n';
const good = zone([
  'web.example.test 60 A 10.91.0.4',
  'web.good.test 60 A 10.91.0.5',
  'six.example.test 60 AAAA ::1',
  'both.example.test 60 A 127.0.0.1',
  'both.example.test 60 AAAA ::1',
  'alias.example.test 60 CNAME web.example.test',
  'many.example.test 60 A 10.91.0.11',
  'many.example.test 60 A 10.91.0.10',
  'xn--mnchen-3ya.example.test 60 A 10.91.0.6',
]);
const fails =
  (rcode: number): Answer =>
  (query) =>
    replyTo(query, { rcode });
const only =
  (name: string, otherwise: Answer): Answer =>
  (query, by) =>
    (query.questions[0]?.name === name ? good : otherwise)(query, by);
const onlyType =
  (type: string, otherwise: Answer): Answer =>
  (query, by) =>
    (query.questions[0]?.type === type ? good : otherwise)(query, by);
const garbage: Answer = () => Buffer.from('no DNS message at all');
const wrongQuestionFirst: Answer = async (query, by) => {
  const other = { ...query, questions: query.questions.map(({ type }) => ({ name: 'other.test', type })) };
  const answers = [record('other.test 60 A 10.91.0.99')];
  // A zone answers with one message.
  return [replyTo(other, { answers }), (await good(query, by)) as DnsMessage];
};
const withTail: Answer = async (query, by) =>
  Buffer.concat([encodeMessage((await good(query, by)) as DnsMessage), Buffer.alloc(1)]);
const truncated: Answer = (query, by) =>
  by === 'udp' ? replyTo(query, { flags: ['qr', 'rd', 'ra', 'tc'] }) : good(query, by);
const referral: Answer = (query) =>
  replyTo(query, { flags: ['qr', 'rd'], authorities: [record('test 60 NS ns.test')] });

const cases: Readonly<Record<string, Case>> = {
  'a search domain says SERVFAIL, the name itself is good': {
    resolvConf: `${one}search corp.test\noptions ndots:5\n`,
    servers: { '127.0.0.1': only('web.example.test', fails(2)) },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'a search domain says REFUSED, the next is good': {
    resolvConf: `${one}search bad.test good.test\n`,
    servers: { '127.0.0.1': only('web.good.test', fails(5)) },
    host: 'web',
    finds: ['10.91.0.5'],
    isFoundByGetent: false,
  },
  'a search domain is silent, the next is good': {
    resolvConf: `${one}search bad.test good.test\n`,
    servers: { '127.0.0.1': only('web.good.test', silent) },
    host: 'web',
    finds: ['10.91.0.5'],
    isFoundByGetent: false,
  },
  'IPv4 says SERVFAIL, IPv6 is good': {
    resolvConf: one,
    servers: { '127.0.0.1': onlyType('AAAA', fails(2)) },
    host: 'six.example.test',
    finds: ['::1'],
  },
  'IPv4 says NXDOMAIN, IPv6 is good': {
    resolvConf: one,
    servers: { '127.0.0.1': onlyType('AAAA', fails(3)) },
    host: 'six.example.test',
    finds: ['::1'],
  },
  'IPv6 says NXDOMAIN, IPv4 is good': {
    resolvConf: one,
    servers: { '127.0.0.1': onlyType('A', fails(3)) },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'IPv6 is silent, IPv4 is good': {
    resolvConf: one,
    servers: { '127.0.0.1': onlyType('A', silent) },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'the first server says SERVFAIL': {
    resolvConf: two,
    servers: { '127.0.0.2': fails(2), '127.0.0.1': good },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'the first server says REFUSED': {
    resolvConf: two,
    servers: { '127.0.0.2': fails(5), '127.0.0.1': good },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'the first server says NOTIMP': {
    resolvConf: two,
    servers: { '127.0.0.2': fails(4), '127.0.0.1': good },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'the first server is lame: it sends elsewhere': {
    resolvConf: two,
    servers: { '127.0.0.2': referral, '127.0.0.1': good },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'the first server is lame: it says nothing': {
    resolvConf: two,
    servers: { '127.0.0.2': (query) => replyTo(query, { flags: ['qr', 'rd'] }), '127.0.0.1': good },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'the first server is silent': {
    resolvConf: two,
    servers: { '127.0.0.2': silent, '127.0.0.1': good },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'the first server is not there': {
    resolvConf: two,
    servers: { '127.0.0.1': good },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'the first server sends garbage': {
    resolvConf: two,
    servers: { '127.0.0.2': garbage, '127.0.0.1': good },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'the first server says NXDOMAIN, which is an answer': {
    resolvConf: two,
    servers: { '127.0.0.2': fails(3), '127.0.0.1': good },
    host: 'web.example.test',
    finds: [],
  },
  'an answer to another question comes first': {
    resolvConf: one,
    servers: { '127.0.0.1': wrongQuestionFirst },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'a byte follows the message': {
    resolvConf: one,
    servers: { '127.0.0.1': withTail },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'the answer fits only TCP': {
    resolvConf: one,
    servers: { '127.0.0.1': truncated },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'only TCP is to be used': {
    resolvConf: `${one}options use-vc\n`,
    servers: { '127.0.0.1': (query, by) => (by === 'tcp' ? good(query, by) : undefined) },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'one question at a time': {
    resolvConf: `${one}options single-request\n`,
    servers: { '127.0.0.1': good },
    host: 'both.example.test',
    finds: ['::1', '127.0.0.1'],
  },
  'both IP versions': {
    resolvConf: one,
    servers: { '127.0.0.1': good },
    host: 'both.example.test',
    finds: ['::1', '127.0.0.1'],
  },
  'an alias': {
    resolvConf: one,
    servers: { '127.0.0.1': good },
    host: 'alias.example.test',
    finds: ['10.91.0.4'],
  },
  'several addresses': {
    resolvConf: one,
    servers: { '127.0.0.1': good },
    host: 'many.example.test',
    finds: ['10.91.0.11', '10.91.0.10'],
  },
  'a final dot turns the search off': {
    resolvConf: `${one}search good.test\n`,
    servers: { '127.0.0.1': good },
    host: 'web.',
    finds: [],
  },
  'a name with enough dots is completed only where it does not exist itself': {
    resolvConf: `${one}search test\noptions ndots:1\n`,
    servers: { '127.0.0.1': good },
    host: 'web.example',
    finds: ['10.91.0.4'],
  },
  'the hosts file has several addresses': {
    resolvConf: one,
    hosts: '127.0.0.1 localhost\n10.91.0.7 web.example.test web\n10.91.0.8 web.example.test\n::1 web.example.test\n',
    servers: { '127.0.0.1': good },
    host: 'WEB.example.test',
    finds: ['::1', '10.91.0.7', '10.91.0.8'],
  },
  'the DNS goes before the hosts file': {
    resolvConf: one,
    hosts: '10.91.0.7 web.example.test\n',
    nsswitch: 'hosts: dns files\n',
    servers: { '127.0.0.1': good },
    host: 'web.example.test',
    finds: ['10.91.0.4'],
  },
  'the DNS goes first and fails': {
    resolvConf: one,
    hosts: '10.91.0.7 listed.test\n',
    nsswitch: 'passwd: files\nhosts: dns files # in this order\n',
    servers: { '127.0.0.1': fails(2) },
    host: 'listed.test',
    finds: ['10.91.0.7'],
  },
  'names are in files only': {
    resolvConf: one,
    nsswitch: 'hosts: files\n',
    servers: { '127.0.0.1': good },
    host: 'web.example.test',
    finds: [],
  },
  'localhost is as the hosts file has it': {
    resolvConf: one,
    hosts: '127.0.0.5 localhost\n',
    servers: { '127.0.0.1': good },
    host: 'localhost',
    finds: ['127.0.0.5'],
  },
};

const places = { resolvConf: '/etc/resolv.conf', hosts: '/etc/hosts', nsswitch: '/etc/nsswitch.conf' } as const;

/** The addresses that the C library finds on this machine, in its order. */
async function getent(host: string, files: Readonly<Record<keyof typeof places, string>>): Promise<readonly string[]> {
  const mounts = Object.entries(places).map(
    ([name, place]) => `mount --bind ${files[name as keyof typeof places]} ${place}`,
  );
  const script = `${mounts.join(' && ')} && exec timeout 20 getent ahosts "$1"`;
  // It exits with 2 for a name that is not found.
  const { stdout } = await execute('unshare', ['-m', 'sh', '-c', script, 'sh', host]).catch((error) => {
    assert.equal((error as { code?: number }).code, 2, String(error));
    return { stdout: '' };
  });
  const lines = stdout.split('\n').filter((line) => line.includes('STREAM'));
  return lines.map((line) => line.split(/\s/)[0] ?? '');
}

describe('CN1: what the C library finds on a machine, our resolver finds, in the same order', { skip }, () => {
  for (const [name, { servers, host, finds, isFoundByGetent = true, ...machine }] of Object.entries(cases)) {
    const { resolvConf, hosts = '', nsswitch = 'hosts: files dns\n' } = machine;
    test(name, async () => {
      await using folder = await temporaryFolder('getent');
      await using running = new AsyncDisposableStack();
      for (const [ip, answer] of Object.entries(servers)) running.use(await dnsServer(answer, { host: ip, port: 53 }));
      const at = (file: string): string => join(folder.path, file);
      const files = { resolvConf: at('resolv.conf'), hosts: at('hosts'), nsswitch: at('nsswitch.conf') };
      await writeFile(files.resolvConf, resolvConf);
      await writeFile(files.hosts, hosts);
      await writeFile(files.nsswitch, nsswitch);
      const resolver = new Resolver({
        clock,
        resolvConfPath: files.resolvConf,
        hostsPath: files.hosts,
        nsswitchPath: files.nsswitch,
      });
      const ours = resolver.resolveAll(host, { signal: AbortSignal.timeout(20_000) }).then(
        (addresses) => addresses.map(({ ip }) => ip),
        () => [],
      );
      assert.deepEqual(await getent(host, files), isFoundByGetent ? finds : [], 'getent');
      assert.deepEqual(await ours, finds, 'our resolver');
    });
  }
});
