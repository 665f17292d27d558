import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { http } from '../checks/http/http.ts';
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

function optionsOf(type: string, options: string, target = 'http://h/'): Monitor['options'] {
  const [monitor] = monitorsOf(`monitors: [{ type: ${type}, target: '${target}', options: ${options} }]`);
  return monitor?.options ?? {};
}

function warningsOf(entry: string): readonly string[] {
  const { config, mistakes, warnings } = readConfig(`monitors: [${entry}]`, {});
  assert.deepEqual([mistakes, config?.monitors.length], [[], 1]);
  return warnings.map(({ path, message }) => `${path}: ${message}`);
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
      const { mistakes } = readConfig([{ file, text: readFileSync(join(fixtures, file), 'utf8') }], {});
      const expected = readFileSync(join(fixtures, file.replace(/yaml$/, 'txt')), 'utf8');
      assert.equal(mistakes.map((mistake) => `${formatMistake(mistake)}\n`).join(''), expected);
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
      ['HTTPS https://example.org', 'http', 'https://example.org', 10_000],
    ]);
    assert.equal(monitors[0]?.timeoutMs, 3000);
    assert.equal(monitors[1]?.timeoutMs, 8000);
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

describe('CK1: a scalar that has one meaning where it stands is taken', () => {
  test('numbers where a word, a text or a list is wanted', () => {
    const options = optionsOf('http', '{ family: 4, status: 200, contains: ok, headers: { x-n: 1 } }');
    const { family, status, contains, headers } = options;
    assert.deepEqual(
      { family, status, contains, headers },
      {
        family: '4',
        status: ['200'],
        contains: ['ok'],
        headers: { 'x-n': '1' },
      },
    );
    assert.equal(optionsOf('https', '{ httpVersion: 2 }', 'https://h/')['httpVersion'], '2');
    assert.equal(optionsOf('http', '{ httpVersion: 1.1 }')['httpVersion'], '1.1');
  });

  for (const text of [
    '007',
    '0x10',
    '1e3',
    '1.10',
    'null',
    '~',
    'true',
    'False',
    '.inf',
    '2024-01-28',
    '12:30',
    '+1',
    '0o17',
  ]) {
    test(`${text} stays what was written where a text is wanted`, () => {
      const { contains, headers, auth, body } = optionsOf(
        'http',
        `{ contains: [${text}], headers: { x: ${text} }, auth: { user: u, password: ${text} }, body: ${text} }`,
      );
      assert.deepEqual([contains, headers, auth, body], [[text], { x: text }, { user: 'u', password: text }, text]);
    });
  }

  test('switches and numbers as people write them', () => {
    const options = optionsOf('icmp', "{ count: '3', dontFragment: yes, size: 007 }", '192.0.2.1');
    assert.deepEqual([options['count'], options['dontFragment'], options['size']], [3, true, 7]);
    assert.deepEqual(optionsOf('http', '{ tls: { verify: off } }')['tls'], {
      ...http.options.parse({ url: 'http://h/' }).tls,
      verify: false,
    });
  });

  test('names, and what only a server reads', () => {
    const { config, mistakes } = readConfig(
      'monitors: [{ name: 007, type: icmp, target: 192.0.2.1, paused: no, agents: 17 }]\nsensors: [{ by: 42, agents: a, usb: }]',
      {},
    );
    assert.deepEqual(mistakes, []);
    const [monitor] = config?.monitors ?? [];
    assert.deepEqual([monitor?.name, monitor?.spec.paused, monitor?.spec.agents], ['007', false, ['17']]);
    assert.deepEqual(config?.sensors[0]?.by, '42');
  });

  test('SF13: an id of its own stays when the name changes; without one the name is the id', () => {
    const rest = 'type: icmp, target: 192.0.2.1';
    const idsOf = (text: string) => {
      const { monitors = [] } = readConfig(text.replace('REST', rest), {}).config ?? {};
      return monitors.map(({ id, name, spec }) => [id, name, spec.id]);
    };
    assert.deepEqual(idsOf('monitors: [{ name: a, REST }]'), [['a', 'a', 'a']]);
    assert.deepEqual(idsOf('monitors: [{ id: a, name: b, REST }]'), [['a', 'b', 'a']]);
    assert.deepEqual(idsOf('monitors: [{ id: 007, REST }]'), [['007', 'ICMP 192.0.2.1', '007']]);
  });

  test('what is handed on to agents is what their own schemas take', () => {
    const text = 'monitors: [{ type: icmp, target: 192.0.2.1, options: { family: 4, count: "3" } }]';
    const [monitor] = readConfig(text, {}).config?.monitors ?? [];
    assert.deepEqual(monitor?.spec.options, { host: '192.0.2.1', family: '4', count: 3 });
  });

  test('a number of the environment is one', () => {
    const [monitor] = monitorsOf("monitors: [{ type: tcp, options: { host: h, port: '${PORT}' } }]", { PORT: '8080' });
    assert.equal(monitor?.target, 'h:8080');
  });
});

describe('D1: the dictionary of hosts in its shortest forms', () => {
  test('one check, or a list of them, without an interval', () => {
    const monitors = monitorsOf(
      'hosts: { localhost: ICMP, example.org: [HTTP, ICMP], example.net: { services: http } }',
    );
    assert.deepEqual(
      monitors.map(({ name }) => name),
      ['localhost icmp', 'example.org http', 'example.org icmp', 'example.net http'],
    );
  });

  test('CH14: a check that needs more than the host says how to give it', () => {
    const { mistakes } = readConfig('hosts: { localhost: UDP }', {});
    assert.deepEqual(
      mistakes.map(({ message }) => message),
      ['UDP needs port, and it is missing: Port to send to; write checks: { udp: { port: … } } for localhost'],
    );
  });
});

test('CH8: a typing error in a target is a mistake of the configuration', () => {
  for (const [type, target] of [
    ['icmp', '127.0.0.1:80'],
    ['traceroute', 'http://h'],
    ['tcp', 'h:65536'],
    ['tcp', 'h:0'],
    ['udp', 'h:'],
    ['ntp', 'a b'],
    ['http', 'http:/x'],
    ['dns', 'a,b'],
    ['echo', '256.1.1.1'],
  ] as const) {
    const { config, mistakes } = readConfig(`monitors: [{ type: ${type}, target: '${target}' }]`, {});
    assert.equal(config, undefined, target);
    assert.equal(mistakes.length, 1, target);
    assert.match(mistakes[0]?.message ?? '', /expected /, target);
  }
});

describe('CH3: times that will disappoint are warned of', () => {
  test('a default timeout leaves room for the next run', () => {
    assert.deepEqual(warningsOf("{ type: tcp, target: 'h:1', interval: 2s }"), []);
    assert.equal(monitorsOf("monitors: [{ type: tcp, target: 'h:1', interval: 2s }]")[0]?.timeoutMs, 1600);
    assert.equal(monitorsOf("monitors: [{ type: tcp, target: 'h:1', interval: 1h }]")[0]?.timeoutMs, 10_000);
  });

  test('a timeout that reaches the interval', () => {
    assert.deepEqual(warningsOf("{ type: tcp, target: 'h:1', interval: 2s, timeout: 2s }"), [
      'monitors[0].timeout: a run may take 2s, and the next is due after 2s; runs that cannot start are unknown. Choose a longer interval or a shorter timeout',
    ]);
    assert.deepEqual(warningsOf("{ type: tcp, target: 'h:1', interval: 2s, timeout: 1999ms }"), []);
  });

  test('CB20: packets that take longer than the interval', () => {
    const [warning = ''] = warningsOf('{ type: icmp, target: 192.0.2.1, interval: 5s, options: { count: 20 } }');
    assert.match(warning, /^monitors\[0\]\.interval: a run may take \d+s, and the next is due after 5s/);
  });
});

function withBody(body: string): string {
  const options = { method: 'POST', body };
  return JSON.stringify({ monitors: [{ name: 'big', type: 'http', target: 'http://a/', options }] });
}

test('SE5: a monitor that no frame could carry is a mistake, counted in bytes', () => {
  for (const body of ['x'.repeat(1_048_400), '监'.repeat(300_000), '\u0001'.repeat(200_000)]) {
    const [mistake] = readConfig(withBody(body), {}).mistakes;
    assert.match(mistake?.message ?? '', /^expected options of at most 786432 bytes, got \d+: shorten/);
  }
  assert.equal(monitorsOf(withBody('x'.repeat(700_000))).length, 1);
});

test('CH4: a ping without end is for the command line, and no monitor', () => {
  const { config, mistakes } = readConfig("monitors: [{ type: icmp, target: '192.0.2.1', options: { count: 0 } }]", {});
  assert.equal(config, undefined);
  assert.match(mistakes[0]?.message ?? '', /^expected a ICMP check that ends by itself/);
});

test('CB20: the default timeout of a ping leaves room for its packets and its wait', () => {
  const [monitor] = monitorsOf(
    "monitors: [{ type: icmp, target: '192.0.2.1', interval: 5m, options: { count: 10, interval: 2s, wait: 60s } }]",
  );
  assert.ok((monitor?.timeoutMs ?? 0) >= 9 * 2000 + 60_000);
});

test('a heartbeat has no target, and a configuration with one is right', () => {
  const options = "{ key: a-key-of-20-letters-, cron: '0 3 * * *', zone: Europe/Berlin }";
  const [monitor] = monitorsOf(`monitors: [{ name: backup, type: heartbeat, options: ${options} }]`);
  assert.equal(monitor?.target, '0 3 * * * Europe/Berlin');
});
