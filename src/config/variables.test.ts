import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TextFiles } from '../testing/text-files.ts';
import { readConfig } from './config.ts';
import { readDefinition } from './definition.ts';
import { Variables } from './variables.ts';

const expand = (text: string, environment: Record<string, string> = {}) => new Variables(environment).expand(text, '/');

describe('SF11: variables in texts', () => {
  for (const [text, expected] of [
    ['${A}', 'one'],
    ['x${A}y${B}z', 'xoneytwoz'],
    ['${C:-other}', 'other'],
    ['${EMPTY:-other}', 'other'],
    ['${A:-other}', 'one'],
    ['${C:-}', ''],
    ['${C:-a: b - c}', 'a: b - c'],
    ['${EMPTY}', ''],
    ['$${A}', '${A}'],
    ['$$${A}', '$${A}'],
    ['$${A} ${A}', '${A} one'],
    ['$A $$ 5$', '$A $$ 5$'],
    ['{A}', '{A}'],
  ] as const)
    test(`${text} is ${JSON.stringify(expected)}`, () => {
      const { text: found, mistakes } = expand(text, { A: 'one', B: 'two', EMPTY: '' });
      assert.deepEqual([found, mistakes], [expected, []]);
    });

  test('a value is not searched for variables again', () => assert.equal(expand('${A}', { A: '${A}' }).text, '${A}'));

  for (const text of ['${}', '${1A}', '${A B}', '${A', '${', '${A:?no}', '${A-x}', '${{ A }}'])
    test(`${text} is a mistake that says how to write it, and does not show it`, () => {
      const { mistakes } = expand(text, { A: 'one' });
      assert.equal(mistakes.length, 1);
      assert.match(mistakes[0] ?? '', /^expected the name of a variable or a file: write \$\{NAME\},/);
    });

  test('a variable that is not set is named', () => {
    assert.match(expand('${NOT_SET}').mistakes[0] ?? '', /^the environment has no variable NOT_SET; set it/);
  });

  test('what they insert is bounded', () => {
    const large = 'x'.repeat(1_000_000);
    assert.match(expand('${A}'.repeat(20), { A: large }).mistakes[0] ?? '', /at most 16777216 characters in all/);
  });
});

describe('SF11: ${file:…}', () => {
  test('is the text of the file without its last line break, from the folder of the configuration', () => {
    using files = new TextFiles({ 'secrets/one': 'abc\n', 'secrets/two': 'a\n\nb', 'secrets/three': 'x\r\n' });
    const { text } = new Variables({}).expand(
      '${file:secrets/one}|${file:secrets/two}|${file:secrets/three}',
      files.folder,
    );
    assert.equal(text, 'abc|a\n\nb|x');
    assert.equal(new Variables({}).expand(`\${file:${files.path('secrets/one')}}`, '/').text, 'abc');
  });

  test('one that cannot be read is said with its path', () => {
    using files = new TextFiles({ large: 'x'.repeat(65_537) });
    for (const [name, why] of [
      ['none', 'there is no such file'],
      ['.', 'this is a directory, not a file'],
      ['large', 'expected at most 65536 bytes, got 65537'],
      ['/dev/zero', 'this is a pipe or a device, not a file'],
    ] as const) {
      const { mistakes } = new Variables({}).expand(`\${file:${name}}`, files.folder);
      assert.match(mistakes[0] ?? '', new RegExp(`^".*${name.replaceAll('.', '')}" cannot be read: ${why}$`));
    }
  });
});

describe('SF11: variables are read everywhere in a file', () => {
  test('in every section, in merged keys and aliases, and not in blocks to take from', () => {
    const token = `wk1.${'p'.repeat(43)}.${'s'.repeat(43)}`;
    using files = new TextFiles({ token: `${token}\n` });
    const text = `
x-usual: &usual { type: tcp, interval: "\${EVERY}" }
x-unused: "\${NOT_SET}"
defaults: { timeout: "\${TIMEOUT:-2s}" }
monitors:
  - { <<: *usual, name: "\${NAME}", target: "\${HOST}:\${PORT}" }
hosts: { example.org: { services: ["\${KIND}"], interval: "\${EVERY}" } }
egress: { deny: ["\${RANGE}"] }
agents: [{ name: a, address: "\${HOST}:1", token: "\${file:token}" }]
retention: { results: "\${DAYS}d" }
sensors: [{ by: "\${WHO}", usb: }]
`;
    const environment = {
      EVERY: '40s',
      NAME: 'n',
      HOST: 'h',
      PORT: '8',
      KIND: 'icmp',
      RANGE: '10.0.0.0/8',
      DAYS: '30',
      WHO: 'Lab',
    };
    const { config, mistakes } = readConfig([{ file: files.path('m.yaml'), text }], environment);
    assert.deepEqual(mistakes, []);
    assert.deepEqual(
      config?.monitors.map(({ name, target, intervalMs, timeoutMs }) => [name, target, intervalMs, timeoutMs]),
      [
        ['n', 'h:8', 40_000, 2000],
        ['example.org icmp', 'example.org', 40_000, 2000],
      ],
    );
    assert.deepEqual(config?.egress.deny, ['10.0.0.0/8']);
    assert.deepEqual(config?.server.agents, [{ name: 'a', address: { host: 'h', port: 1 }, token }]);
    assert.equal(config?.server.retention.results, 30 * 86_400_000);
    assert.equal(config?.sensors[0]?.by, 'Lab');
  });

  test('a section whose variable is missing leaves nothing to run; a monitor is left out, and the rest go on', () => {
    const monitors = "monitors: [{ name: a, type: tcp, target: '${HOST}:1' }, { name: b, type: tcp, target: 'h:1' }]\n";
    const { config, mistakes } = readConfig(monitors, {});
    assert.deepEqual([config?.monitors.map(({ name }) => name), mistakes.length], [['b'], 1]);
    for (const section of [
      'egress: { deny: ["${RANGE}"] }',
      'retention: { hours: "${D}" }',
      'agents: [{ name: a, address: "${H}" }]',
      'defaults: { interval: "${I}" }',
      'include: "${FILE}"',
    ])
      assert.equal(
        readConfig(`monitors: [{ name: b, type: tcp, target: 'h:1' }]\n${section}`, {}).config,
        undefined,
        section,
      );
  });

  test('a wrong value that came from one is not shown', () => {
    const text = `
monitors: [{ type: http, target: "http://h/\${V}", options: { status: "\${V}", method: "\${V}", degraded: { latency: "\${V}" } } }, { type: http, target: "\${V}" }, { type: "\${V}" }, { type: tcp, target: "h:1", interval: "\${V}" }]
egress: { deny: ["\${V}"] }
retention: { hours: "\${V}" }
`;
    const { mistakes } = readConfig(text, { V: 'kanarien vogel' });
    assert.ok(mistakes.length >= 8, JSON.stringify(mistakes));
    for (const { message } of mistakes) assert.doesNotMatch(message, /kanarien/);
  });
});

describe('ruling 19: what comes through the interface is literal', () => {
  for (const text of ['${HOME}', 'http://h/${file:/etc/passwd}', 'a ${b'])
    test(`${text} is refused with a sentence`, () => {
      assert.throws(
        () => readDefinition({ type: 'http', target: 'http://h/', options: { body: text } }),
        /options\.body: variables like \$\{NAME\} and \$\{file:…\} are read only in files on the server's own disk/,
      );
    });

  test('$${ is ${', () => {
    const { options } = readDefinition({ type: 'http', target: 'http://h/', options: { body: 'a $${B} $$' } });
    assert.equal(options['body'], 'a ${B} $$');
  });
});
