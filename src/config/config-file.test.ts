import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AppError } from '../core/errors.ts';
import { TextFiles } from '../testing/text-files.ts';
import { readConfigFile } from './config-file.ts';
import type { LoadedConfig } from './config.ts';
import { formatMistake, formatWarning } from './mistake.ts';

interface Read {
  /** Name and interval of each monitor. */
  readonly monitors: readonly string[] | undefined;
  /** With the names of files as they are in their folder. */
  readonly said: readonly string[];
  readonly config: LoadedConfig['config'];
}

async function read(files: TextFiles, name: string, environment: Record<string, string> = {}): Promise<Read> {
  const { config, mistakes, warnings } = await readConfigFile(join(files.folder, name), environment);
  const said = [...mistakes.map(formatMistake), ...warnings.map(formatWarning)];
  return {
    monitors: config?.monitors.map(({ name: monitor, intervalMs }) => `${monitor} ${intervalMs / 1000}`),
    said: said.map((line) => line.replaceAll(`${files.folder}/`, '')),
    config,
  };
}

const one = (name: string): string => `monitors: [{ name: ${name}, type: tcp, target: 'h:1' }]\n`;

describe('a directory of files', () => {
  test('SF11: is read by name, YAML and JSON; hidden files and others are not', async () => {
    using files = new TextFiles({
      'd/b.yml': one('b'),
      'd/a.yaml': one('a'),
      'd/c.json': '{"monitors": [{"name": "c", "type": "tcp", "target": "h:1"}]}',
      'd/.a.yaml.swp': 'x',
      'd/.hidden.yaml': 'x: [',
      'd/notes.txt': 'x: [',
      'd/deeper/e.yaml': 'x: [',
    });
    assert.deepEqual(await read(files, 'd').then(({ monitors, said }) => [monitors, said]), [
      ['a 10', 'b 10', 'c 10'],
      [],
    ]);
  });

  test('each mistake names its file, also one about two files', async () => {
    using files = new TextFiles({
      'd/a.yaml': one('same'),
      'd/b.yaml': `\n${one('same')}`,
      'd/c.yaml': 'monitors: [{ type: tpc, target: h }]\nretention: { hours: 1d }\n',
      'd/d.yaml': 'retention: {}\n',
    });
    const { said, config } = await read(files, 'd');
    assert.deepEqual(said, [
      'd/b.yaml:2:20: monitors[0].name: another monitor, in line 1 of d/a.yaml, is called "same"',
      'd/c.yaml:1:20: monitors[0].type: expected a check type, got "tpc"; did you mean tcp?',
      'd/d.yaml:1:1: retention: expected one retention section, and there is another in line 2 of d/c.yaml',
    ]);
    assert.equal(config, undefined);
  });

  test('a second egress section leaves nothing to run', async () => {
    using files = new TextFiles({ 'd/a.yaml': `${one('a')}egress: {}`, 'd/b.yaml': 'egress: { deny: [10.0.0.0/8] }' });
    const { config, said } = await read(files, 'd');
    assert.equal(config, undefined);
    assert.match(said.join(), /expected one egress section/);
  });

  test('one without a configuration is said', async () => {
    using files = new TextFiles({ 'd/notes.txt': '' });
    await assert.rejects(read(files, 'd'), (error: unknown) => {
      assert.ok(error instanceof AppError && error.code === 'not-found');
      assert.match(error.message, /expected files that end in \.yaml, \.yml or \.json/);
      return true;
    });
  });

  test('agents of two files have one name each', async () => {
    using files = new TextFiles({
      'd/a.yaml': 'agents: [{ name: x, address: "h:1" }]',
      'd/b.yaml': 'agents: [{ name: x, address: "h:2" }]',
    });
    assert.deepEqual((await read(files, 'd')).said, [
      'd/b.yaml:1:18: agents[0].name: another agent, in line 1 of d/a.yaml, is called "x"',
    ]);
  });
});

describe('include', () => {
  test('SF11: takes files, directories and patterns, from the folder of the file that names them', async () => {
    using files = new TextFiles({
      'main.yaml': `include: [one.yaml, sites, 'more/*.yaml']\n${one('main')}`,
      'one.yaml': one('one'),
      'sites/b.yaml': one('b'),
      'sites/a.yaml': `include: ../deep.yaml\n${one('a')}`,
      'deep.yaml': one('deep'),
      'more/x.yaml': one('x'),
      'more/y.txt': 'x: [',
    });
    const { monitors, said } = await read(files, 'main.yaml');
    assert.deepEqual(said, []);
    assert.deepEqual(monitors, ['main 10', 'one 10', 'a 10', 'deep 10', 'b 10', 'x 10']);
  });

  for (const [what, texts, expected] of [
    [
      'a file that is not there',
      { 'm.yaml': 'include: none.yaml' },
      /"none\.yaml" cannot be read: there is no such file/,
    ],
    ['a pattern in no folder', { 'm.yaml': "include: 'x/*.yaml'" }, /there is none like "x\/\*\.yaml"/],
    ['a pattern without a file', { 'm.yaml': "include: '*.jsn'" }, /there is none like "\*\.jsn"/],
    ['itself', { 'm.yaml': 'include: m.yaml' }, /in a circle: m\.yaml → m\.yaml/],
    [
      'a circle of three',
      { 'm.yaml': 'include: a.yaml', 'a.yaml': 'include: b.yaml', 'b.yaml': 'include: m.yaml' },
      /m\.yaml → a\.yaml → b\.yaml → m\.yaml/,
    ],
    ['the same twice', { 'm.yaml': `include: [a.yaml, ./a.yaml]`, 'a.yaml': one('a') }, /is read twice/],
    ['a number', { 'm.yaml': 'include: 7' }, /expected the name of a file, got 7/],
    ['a pipe', { 'm.yaml': 'include: /dev/stdin' }, /this is a pipe or a device, not a file/],
    [
      'a text that is no YAML',
      { 'm.yaml': 'include: a.yaml', 'a.yaml': 'monitors: [' },
      /^a\.yaml:1:12: this is not YAML/,
    ],
  ] as const)
    test(`${what} is a mistake, and nothing runs`, async () => {
      using files = new TextFiles({ ...texts, 'main.yaml': `include: m.yaml\n${one('main')}` });
      const { config, said } = await read(files, 'main.yaml');
      assert.equal(config, undefined);
      assert.equal(said.length, 1, said.join('\n'));
      assert.match(said[0] ?? '', expected);
    });

  test('a link to a file is that file', async () => {
    using files = new TextFiles({ 'd/a.yaml': one('a') });
    symlinkSync('a.yaml', files.path('d/b.yaml'));
    assert.match((await read(files, 'd')).said.join(), /b\.yaml:1:1: this file is read twice/);
  });

  test('is bounded in depth', async () => {
    const chain = Array.from({ length: 12 }, (_, index) => [`${index}.yaml`, `include: ${index + 1}.yaml`] as const);
    using files = new TextFiles(Object.fromEntries(chain));
    assert.match((await read(files, '0.yaml')).said.join(), /at most 10 deep/);
  });
});

describe('defaults', () => {
  test('SF11: fill in what a monitor does not say: those of its type first, then those of every type', async () => {
    using files = new TextFiles({
      'm.yaml': `
defaults:
  interval: 30s
  agents: [berlin]
  http: { interval: 1m, timeout: 7s, options: { status: 204, tls: { verify: no }, headers: { x-a: b } } }
  tcp: { options: { port: 22 } }
monitors:
  - { name: own, type: http, target: 'http://h/', interval: 9s, agents: [paris], options: { tls: { minVersion: TLSv1.3 } } }
  - { name: web, type: https, target: h }
  - { name: ssh, type: tcp, target: h }
  - { name: smtp, type: tcp, target: 'h:25' }
hosts: { example.org: { services: [icmp], timeout: 2s } }
`,
    });
    const { monitors, said, config } = await read(files, 'm.yaml');
    assert.deepEqual(said, []);
    assert.deepEqual(monitors, ['own 9', 'web 60', 'ssh 30', 'smtp 30', 'example.org icmp 30']);
    const [own, web, ssh, smtp, icmp] = config?.monitors ?? [];
    assert.deepEqual([own?.spec.agents, web?.spec.agents], [['paris'], ['berlin']]);
    assert.deepEqual([own?.timeoutMs, icmp?.timeoutMs], [7000, 2000]);
    assert.deepEqual([ssh?.target, smtp?.target], ['h:22', 'h:25']);
    assert.deepEqual(own?.options['status'], ['204']);
    const tls = own?.options['tls'] as Record<string, unknown>;
    assert.deepEqual([tls['verify'], tls['minVersion']], [false, 'TLSv1.3']);
  });

  test('hold for the file and what it includes, where a file has its own those win', async () => {
    using files = new TextFiles({
      'm.yaml': `defaults: { interval: 20s, timeout: 3s }\ninclude: [a.yaml, b.yaml]\n${one('m')}`,
      'a.yaml': `defaults: { interval: 40s }\n${one('a')}`,
      'b.yaml': one('b'),
    });
    const { monitors, config } = await read(files, 'm.yaml');
    assert.deepEqual(monitors, ['m 20', 'a 40', 'b 20']);
    assert.equal(config?.monitors[1]?.timeoutMs, 3000);
  });

  for (const [defaults, expected] of [
    ['{ intervall: 5s }', 'defaults.intervall: there is no such key; did you mean interval?'],
    ['{ interval: soon }', 'defaults.interval: expected a duration from 1s to 7d, like 10s or 500ms, got "soon"'],
    ['{ https: {} }', 'defaults.https: expected the name of a check type: http, of which https is another word'],
    ['{ http: { optoins: {} } }', 'defaults.http.optoins: there is no such key; did you mean options?'],
    [
      '{ http: { options: { statsu: 200 } } }',
      'defaults.http.options.statsu: there is no such key; did you mean status?',
    ],
    [
      '{ http: { options: { status: many } } }',
      'defaults.http.options.status: expected a status like 200 or 200-299, got "many"',
    ],
    [
      '{ http: { options: { tls: { verfy: no } } } }',
      'defaults.http.options.tls.verfy: there is no such key; did you mean verify?',
    ],
    ['7', 'defaults: expected a mapping, got 7'],
  ] as const)
    test(`a mistake in them is told although no monitor takes them: ${defaults}`, async () => {
      using files = new TextFiles({ 'm.yaml': `${one('m')}defaults: ${defaults}\n` });
      const { config, said } = await read(files, 'm.yaml');
      assert.deepEqual(
        said.map((line) => line.replace(/^m\.yaml:\d+:\d+: /, '')),
        [expected],
      );
      assert.equal(config, undefined);
    });

  test('a mistake in them is told once, and none of those who would take them beside it', async () => {
    using files = new TextFiles({
      'm.yaml':
        'defaults: { interval: 30x, tcp: { options: { port: 22 } } }\nmonitors: [{ type: tcp, target: h }, { type: tcp, target: g }]',
    });
    assert.deepEqual((await read(files, 'm.yaml')).said, [
      'm.yaml:1:23: defaults.interval: expected a duration from 1s to 7d, like 10s or 500ms, got "30x"',
    ]);
  });

  test('a value of theirs that does not fit with the monitor is told where it stands', async () => {
    using files = new TextFiles({
      'm.yaml': `defaults: { http: { options: { auth: { token: t } } } }\ninclude: a.yaml\n`,
      'a.yaml': "monitors: [{ type: http, target: 'http://h/', options: { auth: { user: u } } }]",
    });
    assert.deepEqual((await read(files, 'm.yaml')).said, [
      'a.yaml:1:64: monitors[0].options.auth: expected user and password, or a token, not both',
    ]);
  });
});

describe('SF11: a pipe', () => {
  test('is read to its end, also where it comes in pieces', async () => {
    using files = new TextFiles({});
    execFileSync('mkfifo', [files.path('pipe')]);
    const writer = spawn(
      'sh',
      ['-c', `(printf 'monitors:\\n'; sleep 0.1; printf '  - { type: tcp, target: "h:1" }\\n') > pipe`],
      {
        cwd: files.folder,
      },
    );
    assert.deepEqual((await read(files, 'pipe')).monitors, ['TCP h:1 10']);
    assert.equal(writer.killed, false);
  });
});

describe('files that cannot be read are said in words', () => {
  for (const [name, expected] of [
    ['none.yaml', /none\.yaml cannot be read: there is no such file\./],
    ['bytes.yaml', /bytes\.yaml cannot be read: this is not text in UTF-8\./],
    ['a.yaml/x', /a\.yaml\/x cannot be read: there is no such file\./],
  ] as const)
    test(name, async () => {
      using files = new TextFiles({ 'a.yaml': one('a') });
      execFileSync('sh', ['-c', String.raw`printf '\377\376' > bytes.yaml`], { cwd: files.folder });
      await assert.rejects(read(files, name), expected);
    });
});
