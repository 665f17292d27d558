import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkWords } from '../checks/registry.ts';
import type { Monitor } from '../core/monitor.ts';
import { readConfig } from './config.ts';
import { formatMistake } from './mistake.ts';

const fixtures = join(import.meta.dirname, 'fixtures');

/** The monitors of a text that has no mistake. */
function monitorsOf(text: string, environment: Readonly<Record<string, string>> = {}): readonly Monitor[] {
  const { config, mistakes } = readConfig(text, environment);
  assert.deepEqual(mistakes, []);
  return config?.monitors ?? [];
}

function briefly({ name, type, target, intervalMs }: Monitor) {
  return [name, type, target, intervalMs];
}

describe('each mistake is told with its place, what was expected and what came', () => {
  // A new case is two files: what is wrong, and beside it what is said of it.
  const files = globSync('*.yaml', { cwd: fixtures });
  test('there are cases', () => assert.ok(files.length >= 20));
  for (const file of files) {
    test(file.replace('.yaml', '').replaceAll('-', ' '), () => {
      const { mistakes } = readConfig(readFileSync(join(fixtures, file), 'utf8'), {});
      const expected = readFileSync(join(fixtures, file.replace(/yaml$/, 'txt')), 'utf8');
      assert.equal(mistakes.map((mistake) => `${formatMistake(file, mistake)}\n`).join(''), expected);
    });
  }
});

test('a word that is close to none is answered with those that are known', () => {
  const { mistakes } = readConfig(
    "monitors: [{ type: gopher }, { type: tcp, target: 'h:1', options: { qqq: 1 } }]",
    {},
  );
  const [type, option] = mistakes.map(({ message }) => message);
  assert.equal(type, `expected a check type, got "gopher"; known are ${checkWords.join(', ')}`);
  assert.match(option ?? '', /^there is no such option; known are host, port,/);
});

describe('the list of monitors', () => {
  test('takes the target of the command line, options, or both', () => {
    const monitors = monitorsOf(`
      monitors:
        - { name: one, type: tcp, target: 'example.org:443', interval: 30s, timeout: 3s }
        - { name: two, type: TCP, options: { host: example.org, port: 80 } }
        - { name: three, type: tcp, target: example.org, options: { port: 25, family: '6' }, interval: 1m }
        - { type: https, target: example.org }
    `);
    assert.deepEqual(monitors.map(briefly), [
      ['one', 'tcp', 'example.org:443', 30_000],
      ['two', 'tcp', 'example.org:80', 10_000],
      ['three', 'tcp', 'example.org:25', 60_000],
      ['HTTP https://example.org', 'http', 'https://example.org', 10_000],
    ]);
    assert.equal(monitors[0]?.timeoutMs, 3000);
    assert.equal(monitors[1]?.timeoutMs, 10_000);
    assert.equal(monitors[2]?.options['family'], '6');
  });

  test('is JSON as well', () => {
    assert.equal(monitorsOf('{"monitors": [{"type": "icmp", "target": "192.0.2.1"}]}').length, 1);
  });
});

describe('the dictionary of hosts', () => {
  test('D1: the older tool’s own file, with several hosts and intervals', () => {
    const monitors = monitorsOf(`{
      "www.google.com": {"services": ["HTTP", "ICMP"], "interval": 60},
      "8.8.8.8": {"services": ["ICMP"], "interval": 5}
    }`);
    assert.deepEqual(monitors.map(briefly), [
      ['www.google.com http', 'http', 'http://www.google.com', 60_000],
      ['www.google.com icmp', 'icmp', 'www.google.com', 60_000],
      ['8.8.8.8 icmp', 'icmp', '8.8.8.8', 5000],
    ]);
  });

  test('takes options for each check, with its own interval', () => {
    const monitors = monitorsOf(`
      hosts:
        example.org:
          interval: 60
          timeout: 4s
          checks:
            tcp: { port: 443, interval: 30s }
            icmp:
            dns: { record: MX, timeout: 2s }
    `);
    assert.deepEqual(monitors.map(briefly), [
      ['example.org tcp', 'tcp', 'example.org:443', 30_000],
      ['example.org icmp', 'icmp', 'example.org', 60_000],
      ['example.org dns', 'dns', 'example.org', 60_000],
    ]);
    assert.deepEqual(
      monitors.map(({ timeoutMs }) => timeoutMs),
      [4000, 4000, 2000],
    );
  });

  test('a host may have several entries, each with its own interval', () => {
    const monitors = monitorsOf(`
      hosts:
        example.org:
          - { services: [HTTP], interval: 60 }
          - { services: [ICMP], interval: 5 }
    `);
    assert.deepEqual(
      monitors.map(({ intervalMs }) => intervalMs),
      [60_000, 5000],
    );
  });

  test('C3: a service lacking a parameter is left out, and the rest go on', () => {
    const { config, mistakes } = readConfig(readFileSync(join(fixtures, 'missing-parameter.yaml'), 'utf8'), {});
    assert.deepEqual(
      config?.monitors.map(({ name }) => name),
      ['www.example.org http', 'www.example.org icmp'],
    );
    assert.equal(mistakes.length, 2);
  });
});

describe('the environment', () => {
  const text = `
    monitors:
      - { name: web, type: http, target: 'http://example.org/', options: { headers: { authorization: 'Bearer \${TOKEN}', price: '$\${TOKEN}' } } }
  `;

  test('gives the values of variables, so that secrets need not be in the file', () => {
    const [monitor] = monitorsOf(text, { TOKEN: 'secret' });
    assert.deepEqual(monitor?.options['headers'], { authorization: 'Bearer secret', price: '${TOKEN}' });
  });

  test('a monitor whose variable is missing does not run with an empty one', () => {
    assert.equal(readConfig(text, {}).config, undefined);
  });

  test('a value from the environment is never shown', () => {
    const { mistakes } = readConfig("monitors: [{ type: tcp, target: 'h', options: { port: '${PORT}' } }]", {
      PORT: 'secret',
    });
    assert.equal(mistakes.length, 1);
    assert.doesNotMatch(JSON.stringify(mistakes), /secret/);
  });
});

test('a wrong egress policy leaves nothing to run, for it may be what keeps the rest safe', () => {
  const { config } = readConfig(readFileSync(join(fixtures, 'egress.yaml'), 'utf8'), {});
  assert.equal(config, undefined);
});

test('an egress policy is taken over', () => {
  const { config } = readConfig(
    '{monitors: [{type: icmp, target: 192.0.2.1}], egress: {deny: [10.0.0.0/8, "::1"]}}',
    {},
  );
  assert.deepEqual(config?.egress, { allow: [], deny: ['10.0.0.0/8', '::1'] });
});

test('a text nested a hundred thousand levels deep is a mistake, not a crash', () => {
  const { config, mistakes } = readConfig(`monitors: ${'['.repeat(100_000)}`, {});
  assert.equal(config, undefined);
  assert.ok(mistakes.length > 0);
});

test('sensors are collected as plans, with the options as they were written; none without the section', () => {
  const text = `
sensors:
  - agents: [seat-*, lab-server]
    by: Physics department, room 101
    purpose: Exam of 2 December
    until: 2026-12-02T18:00:00+01:00
    traffic: { forbid: [203.0.113.0/24] }
  - { by: The lab, traffic: }
`;
  const { config, mistakes } = readConfig(text, {});
  assert.deepEqual(mistakes, []);
  assert.deepEqual(config?.sensors, [
    {
      agents: ['seat-*', 'lab-server'],
      by: 'Physics department, room 101',
      purpose: 'Exam of 2 December',
      until: Date.UTC(2026, 11, 2, 17),
      sensors: [{ sensor: 'traffic', options: { forbid: ['203.0.113.0/24'] } }],
    },
    { by: 'The lab', sensors: [{ sensor: 'traffic', options: {} }] },
  ]);
  assert.deepEqual(readConfig('retention: {}', {}).config?.sensors, []);
});

test('a server may begin without a monitor', () => {
  assert.deepEqual(readConfig('monitors: []', {}, { mayBeEmpty: true }).config?.monitors, []);
  assert.equal(readConfig('monitors: 7', {}, { mayBeEmpty: true }).config, undefined);
});
