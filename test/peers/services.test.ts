import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { servicePort } from '../../src/core/services.ts';
import { missing } from './daemon.ts';

/** What this machine has no name for: from the registry of the IANA. */
const unnamedHere: Readonly<Record<string, number>> = {
  mqtt: 1883,
  rdp: 3389,
  sips: 5061,
  smtps: 465,
  syslog: 514,
  xmpp: 5222,
};

const names = [
  'amqp',
  'amqps',
  'domain',
  'domain-s',
  'ftp',
  'ftps',
  'http',
  'http-alt',
  'https',
  'imap',
  'imaps',
  'ipp',
  'kerberos',
  'ldap',
  'ldaps',
  'ms-sql-s',
  'mysql',
  'nfs',
  'ntp',
  'pop3',
  'pop3s',
  'postgresql',
  'radius',
  'redis',
  'rsync',
  'rtsp',
  'sip',
  'smtp',
  'snmp',
  'ssh',
  'submission',
  'submissions',
  'telnet',
  'tftp',
];

test('ports have the names that getent knows', { skip: missing('getent') }, async () => {
  const { stdout } = await promisify(execFile)('getent', ['services', ...names]);
  const ports = stdout
    .trim()
    .split('\n')
    .map((line) => Number(/(\d+)\//.exec(line)?.[1]));
  assert.equal(ports.length, names.length);
  assert.deepEqual(
    names.map((name) => servicePort(name.toUpperCase())),
    ports,
  );
  for (const [name, port] of Object.entries(unnamedHere)) assert.equal(servicePort(name), port, name);
  assert.equal(servicePort('constructor'), undefined);
});
