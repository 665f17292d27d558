import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readConfig } from './config.ts';

interface Read {
  /** Name, type, target and seconds between runs. */
  readonly monitors: readonly (readonly unknown[])[];
  readonly mistakes: readonly string[];
  readonly notes: readonly string[];
}

function sentence({ path, message }: { readonly path: string; readonly message: string }): string {
  return `${path}: ${message}`;
}

function read(text: string): Read {
  const { config, mistakes, warnings } = readConfig(text, {});
  return {
    monitors: (config?.monitors ?? []).map(({ name, type, target, intervalMs }) => [
      name,
      type,
      target,
      intervalMs / 1000,
    ]),
    mistakes: mistakes.map(sentence),
    notes: warnings.map(sentence),
  };
}

const tasks = `[
  {"name": "web", "host": "www.example.org", "port": 80, "service": "HTTP", "interval": 60},
  {"name": "secure", "host": "www.example.org", "port": 8443, "service": "HTTPS", "interval": 30},
  {"name": "ping", "host": "192.0.2.1", "port": null, "service": "ping", "interval": 5},
  {"name": "trace", "host": "192.0.2.1", "service": "TRACEROUTE", "interval": 300},
  {"name": "door", "host": "2001:db8::1", "port": "22", "service": "TCP", "interval": "10"},
  {"name": "clock", "host": "ntp.example.org", "port": 123, "service": "NTP", "interval": 60},
  {"name": "answer", "host": "192.0.2.1", "port": 53, "service": "UDP", "interval": 60},
  {"name": "name", "host": "example.org", "service": "DNS", "interval": 60}
]`;

describe('SI11: a task list of the older tools', () => {
  for (const [form, text] of [
    ['a list', tasks],
    ['a list under tasks', `{"tasks": ${tasks}}`],
    ['a list under monitors', `{"monitors": ${tasks}}`],
  ] as const)
    test(`B1: ${form} is read, with a note that says how to write it`, () => {
      const { monitors, mistakes, notes } = read(text);
      assert.deepEqual(mistakes, []);
      assert.deepEqual(monitors, [
        ['web', 'http', 'http://www.example.org:80', 60],
        ['secure', 'http', 'https://www.example.org:8443', 30],
        ['ping', 'icmp', '192.0.2.1', 5],
        ['trace', 'traceroute', '192.0.2.1', 300],
        ['door', 'tcp', '[2001:db8::1]:22', 10],
        ['clock', 'ntp', 'ntp.example.org', 60],
        ['answer', 'udp', '192.0.2.1:53', 60],
        ['name', 'dns', 'example.org', 60],
      ]);
      assert.equal(notes.length, 1);
      assert.match(
        notes[0] ?? '',
        /this is a task as older tools wrote it, and is read as \{ name: web, type: http, target: www\.example\.org:80, interval: 60s \}; write it so, under monitors$/,
      );
    });

  test('a mapping from names to tasks is read too', () => {
    const { monitors, mistakes } = read(
      '{"tasks": {"web": {"host": "h", "service": "HTTP"}, "ssh": {"host": "h", "port": 22, "service": "tcp", "interval": 5}}}',
    );
    assert.deepEqual(mistakes, []);
    assert.deepEqual(monitors, [
      ['web', 'http', 'http://h', 10],
      ['ssh', 'tcp', 'h:22', 5],
    ]);
  });

  test('a URL in the place of the host, with a port of its own or beside it', () => {
    const { monitors, mistakes } = read(
      '[{"host": "http://h/x", "port": 8080, "service": "HTTP"}, {"host": "https://h:8443/", "port": 8443, "service": "HTTPS"}]',
    );
    assert.deepEqual(mistakes, []);
    assert.deepEqual(
      monitors.map(([, , target]) => target),
      ['http://h:8080/x', 'https://h:8443/'],
    );
  });

  test('options of the check may stand beside the host', () => {
    const { config, mistakes } = readConfig(
      '[{"host": "example.org", "service": "dns", "record": "MX", "server": "192.0.2.53"}]',
      {},
    );
    assert.deepEqual(mistakes, []);
    const { record, server } = config?.monitors[0]?.options ?? {};
    assert.deepEqual([record, server], ['MX', '192.0.2.53']);
  });

  test('B2: each mistake is said where it stands, and the rest is read', () => {
    const { monitors, mistakes, notes } = read(`[
      {"name": "no port", "host": "h", "service": "TCP", "interval": 5},
      {"name": "unknown", "host": "h", "service": "GOPHER", "interval": 5},
      {"name": "no host", "service": "HTTP", "interval": 5},
      {"name": "no service", "host": "h", "interval": 5},
      {"name": "bad port", "host": "h", "port": 70000, "service": "TCP"},
      {"name": "bad interval", "host": "h", "service": "ICMP", "interval": "soon"},
      {"name": "list port", "host": "h", "port": [80], "service": "HTTP"},
      {"name": "typo", "host": "h", "service": "ICMP", "intervall": 5},
      "just a text",
      {"name": "two ports", "host": "http://h:80/", "port": 81, "service": "HTTP"},
      {"name": "pinged port", "host": "h", "port": 80, "service": "ICMP"}
    ]`);
    assert.deepEqual(monitors, [['pinged port', 'icmp', 'h', 10]]);
    const expected = [
      /^\[0\].*TCP needs port, and it is missing: .*; write port: … beside host$/,
      /^\[1\]\.service: expected a check type, got "GOPHER"/,
      /^\[2\].*HTTP needs url, and it is missing/,
      /^\[3\].*expected a text, got nothing|^\[3\].*service/,
      /^\[4\].*expected HOST:PORT with a port from 1 to 65535|^\[4\].*port/,
      /^\[5\]\.interval: expected a duration/,
      /^\[6\]\.port: expected a port, got a list/,
      /^\[7\]\.intervall: there is no such option; did you mean interval\?/,
      /^\[8\]: expected a mapping with name, host, port, service, interval, got "just a text"/,
      /^\[9\]\.port: expected the port of the URL, 80, got 81/,
    ];
    assert.equal(mistakes.length, expected.length, mistakes.join('\n'));
    for (const [index, pattern] of expected.entries()) assert.match(mistakes[index] ?? '', pattern);
    assert.ok(notes.includes('[10].port: ICMP has no port; it is left out'), notes.join('\n'));
  });
});
