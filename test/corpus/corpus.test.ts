import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { valueAt } from '../../src/core/issues.ts';
import type { Result } from '../../src/core/monitor.ts';
import { parseCase, type CorpusCase, type Matcher } from './corpus-case.ts';
import type { CorpusServers } from './corpus-servers.ts';
import { fill, fillAll, fillPattern, type Facts } from './placeholders.ts';
import { openStage } from './stage.ts';

const files = globSync('*/*/case.yaml', { cwd: import.meta.dirname }).toSorted();

describe('the corpus', { concurrency: 4 }, () => {
  for (const file of files) {
    const folder = `test/corpus/${dirname(file)}`;
    const yaml = readFileSync(join(import.meta.dirname, file), 'utf8');
    test(nameOf(yaml) ?? folder, async () => {
      try {
        await play(yaml, `${folder}/case.yaml`);
      } catch (error) {
        throw new Error(`${folder}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    });
  }
});

/** Undefined if the file is no case: its test then says why. */
function nameOf(yaml: string): string | undefined {
  const about = /^about: (.+)$/m.exec(yaml)?.[1];
  const row = /^row: (\S+)$/m.exec(yaml)?.[1];
  return row === undefined ? about : `${row}: ${about}`;
}

async function play(yaml: string, file: string): Promise<void> {
  const plan = parseCase(yaml, file);
  await using stage = await openStage(plan);
  const { servers, facts } = stage;
  const result = await stage.run();
  assert.deepEqual(await servers.complaints(), [], 'what the servers say');
  compare(plan, result, facts);
  compareVisits(plan, servers);
}

function compare({ why, expect }: CorpusCase, result: Result, facts: Facts): void {
  const got = `${result.status} ${result.reason ?? ''}: ${result.message}\n${JSON.stringify(result.detail)}`;
  const told = `expected because of: ${why.trim()}\n${got}`;
  assert.equal(result.status, expect.status, told);
  if (expect.reason !== undefined) assert.equal(result.reason, expect.reason, told);
  if (expect.message !== undefined) assert.match(result.message, fillPattern(expect.message, facts), told);
  for (const [path, matcher] of Object.entries(expect.fields))
    assertField(path, valueAt(result, path.split('.')), fillAll(matcher, facts) as Matcher);
}

function assertField(path: string, value: unknown, matcher: Matcher): void {
  const told = `${path} is ${JSON.stringify(value)}`;
  if (typeof matcher !== 'object' || matcher === null || Array.isArray(matcher))
    return assert.deepEqual(value, matcher, told);
  if ('absent' in matcher) return assert.equal(value, undefined, told);
  if ('equals' in matcher) return assert.deepEqual(value, matcher.equals, told);
  if ('between' in matcher) {
    const [least, most] = matcher.between;
    return assert.ok(
      typeof value === 'number' && value >= least && value <= most,
      `${told}, not in ${least} to ${most}`,
    );
  }
  const texts = Array.isArray(value) ? value : [value];
  const wanted = new RegExp(matcher.matches, 'su');
  const found = texts.some((one) => wanted.test(typeof one === 'string' ? one : JSON.stringify(one ?? null)));
  assert.ok(found, `${told}, and nothing in it matches ${matcher.matches}`);
}

function compareVisits({ expect }: CorpusCase, { visits }: CorpusServers): void {
  for (const [name, count] of Object.entries(expect.visits))
    assert.equal(visits.get(name) ?? 0, count, `connections or datagrams at ${name}`);
}

describe('a case file', () => {
  const good = 'about: a page is up\nwhy: nothing special\ncheck: http\noptions: {}\nexpect: { status: up }\n';

  test('that is whole is read', () => {
    assert.equal(parseCase(good, 'x').expect.status, 'up');
  });

  const mistakes: readonly (readonly [what: string, yaml: string, expected: RegExp])[] = [
    ['an unknown key', `${good}server: {}\n`, /unknown option server/],
    ['no reason why', good.replace(/why.*\n/, ''), /why: expected a text, got nothing/],
    ['an unknown status', good.replace('up }', 'fine }'), /expect\.status: expected one of up, degraded/],
    ['an unknown reason', good.replace('up }', 'down, reason: sad }'), /expect\.reason: expected one of timeout/],
    ['a pattern that is none', good.replace('up }', "up, message: '(' }"), /expected a regular expression, got "\("/],
    [
      'a step of two keys',
      `${good}servers: { a: { tcp: [{ send: x, hex: aa }] } }\n`,
      /a\.tcp\.0\.0: expected one key/,
    ],
    [
      'a number for a text',
      `${good}servers: { a: { tcp: [{ hex: 10 }] } }\n`,
      /a\.tcp\.0\.0\.hex: expected a text, got 10/,
    ],
    ['an unknown step', `${good}servers: { a: { tcp: [shout] } }\n`, /a\.tcp\.0\.0: unknown option shout/],
    [
      'a server of two kinds',
      `${good}servers: { a: { tcp: [close], closed: tcp } }\n`,
      /expected one of tcp, udp, dns/,
    ],
    ['a record without a type', `${good}servers: { a: { dns: [{ say: [{ answers: [x] }] }] } }\n`, /expected NAME TTL/],
  ];
  for (const [what, yaml, expected] of mistakes) {
    test(`with ${what} is refused, with its place`, () => {
      assert.throws(() => parseCase(yaml, 'case.yaml'), expected);
    });
  }

  test('with a placeholder that stands for nothing is refused', () => {
    assert.throws(() => fill('http://${web}/', { places: new Map() }), /\$\{web\} stands for nothing/);
  });
});
