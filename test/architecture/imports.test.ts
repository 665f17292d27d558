import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, posix, resolve } from 'node:path';
import { describe, test } from 'node:test';

const source = resolve(import.meta.dirname, '../../src');

/**
 * Which room may import which; the longest name that fits a file is its room, and a room may always import itself.
 * `checks/*` stands for each folder in checks: siblings never import each other.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  sys: [],
  echo: ['core', 'sys'],
  'net/packets': [],
  'net/dial': ['core', 'net/packets', 'sys'],
  'net/tls': ['core', 'net/packets', 'net/dial'],
  'net/dialogue': ['core', 'net/packets', 'net/dial', 'net/tls'],
  'net/http': ['core', 'net/packets', 'net/dial', 'net/tls'],
  'net/dns': ['core', 'net/packets', 'net/dial', 'net/tls', 'net/http'],
  'net/icmp': ['core', 'net/packets', 'net/dial', 'sys'],
  'net/traceroute': ['core', 'net/packets', 'net/dial', 'net/icmp', 'sys'],
  net: ['core', 'net/*', 'sys'],
  'checks/*': ['core', 'net', 'net/*'],
  checks: ['core', 'checks/*'],
  records: ['core', 'protocol'],
  'sensors/*': ['core', 'net', 'net/*', 'records', 'sys'],
  sensors: ['core', 'sensors/*'],
  'notify/*': ['core', 'net', 'net/*', 'notify'],
  notify: ['core', 'net', 'net/*', 'notify/*'],
  schedule: ['core', 'checks'],
  protocol: ['core'],
  adapters: ['core', 'protocol', 'sys'],
  agent: ['core', 'protocol', 'records', 'schedule', 'checks', 'sensors', 'net', 'net/*'],
  'server/store': ['core'],
  'server/pipeline': ['core'],
  'server/bus': ['core'],
  'server/outbox': ['core', 'notify', 'server/store'],
  server: [
    'core',
    'notify',
    'protocol',
    'records',
    'checks',
    'sensors',
    'server/outbox',
    'server/store',
    'server/pipeline',
    'server/bus',
  ],
  config: ['core', 'checks', 'notify', 'sensors'],
  terminal: ['core', 'records'],
  main: ['commands'],
};

/** Files of a room that other rooms may import one by one. */
const byName: Readonly<Record<string, readonly string[]>> = {
  server: ['sys/atomic-file.ts'],
};

/** The composition roots build and connect things of every room. */
const builders = ['commands'];

/** Rooms that no file may import from node:, so that they stay pure. Types are no dependency. */
const pure: Readonly<Record<string, readonly string[]>> = {
  core: [],
  'net/packets': ['node:buffer'],
};

const files = globSync('**/*.ts', { cwd: source }).filter((file) => !isTest(file));

function isTest(file: string): boolean {
  return file.startsWith('testing/') || /\.(?:test|contract)\.ts$/.test(file) || file.includes('/_template/');
}

/** `net/*` in a list stands for every room inside net. */
function isAllowed(room: string, allowed: readonly string[]): boolean {
  return allowed.includes(room) || allowed.includes(`${room.split('/')[0]}/*`);
}

function roomOf(file: string): string {
  const [first = '', second = '', third] = file.split('/');
  if (third === undefined && second === '') return first.replace(/\.ts$/, '');
  const nested = `${first}/${second}`;
  if (nested in mayImport) return nested;
  if (third !== undefined && `${first}/*` in mayImport) return `${first}/*`;
  return first;
}

interface Import {
  readonly specifier: string;
  readonly isHarmless: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(resolve(source, file), 'utf8');
  const statements = text.matchAll(/^(?:import|export)\b([^'"]*?)from\s*'([^']+)'/gm);
  const dynamic = text.matchAll(/\bimport\('([^']+)'\)/g);
  return [
    ...[...statements].map(([, what = '', specifier = '']) => ({
      specifier,
      // Telling what kind of address a text is touches nothing.
      isHarmless: /^\s*type\b/.test(what) || /^\s*\{(?:\s*isIP(?:v[46])?,?)+\s*\}\s*$/.test(what),
    })),
    ...[...dynamic].map(([, specifier = '']) => ({ specifier, isHarmless: false })),
  ];
}

/** Each circle once, as the files on it; depth first, a file that was left is on no circle. */
function circles(): string[] {
  const found: string[] = [];
  const left = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (left.has(file)) return;
    const place = path.indexOf(file);
    if (place >= 0) {
      found.push([...path.slice(place), file].join(' → '));
      return;
    }
    path.push(file);
    for (const { specifier } of importsOf(file).filter(({ specifier }) => specifier.startsWith('.')))
      visit(posix.join(dirname(file), specifier));
    path.pop();
    left.add(file);
  };
  for (const file of files) visit(file);
  return found;
}

describe('the floor plan holds', () => {
  test('this test sees the house', () => {
    assert.ok(files.length >= 20, `only ${files.length} files found under src`);
    assert.ok(files.flatMap(importsOf).length >= 60, 'too few imports found: has their form changed?');
  });

  for (const file of files) {
    test(`${file} imports only from the rooms below it`, () => {
      const room = roomOf(file);
      const allowed = builders.includes(room)
        ? Object.keys(mayImport).filter((room) => room !== 'main')
        : mayImport[room];
      assert.ok(allowed, `${room} is no room of the house: add it to DESIGN and to this test`);
      for (const { specifier } of importsOf(file).filter(({ specifier }) => specifier.startsWith('.'))) {
        const target = posix.join(dirname(file), specifier);
        const targetRoom = roomOf(target);
        const isSibling =
          room === targetRoom && room.endsWith('/*') && dirname(file).split('/')[1] !== target.split('/')[1];
        assert.ok(
          (room === targetRoom && !isSibling) ||
            isAllowed(targetRoom, allowed) ||
            (byName[room] ?? []).includes(target),
          `${file} must not import ${target}`,
        );
      }
    });
  }

  test('no files import each other in a circle, not even for a type', () => {
    assert.deepEqual(circles(), []);
  });

  for (const [room, allowed] of Object.entries(pure)) {
    test(`${room} does not touch the machine`, () => {
      for (const file of files.filter((file) => roomOf(file) === room)) {
        const machine = importsOf(file).filter(
          ({ specifier, isHarmless }) => specifier.startsWith('node:') && !isHarmless,
        );
        const forbidden = machine.map(({ specifier }) => specifier).filter((specifier) => !allowed.includes(specifier));
        assert.deepEqual(forbidden, [], file);
      }
    });
  }

  test('only sys calls libc', () => {
    const callers = files.filter((file) => importsOf(file).some(({ specifier }) => specifier === 'node:ffi'));
    assert.deepEqual(
      callers.filter((file) => !file.startsWith('sys/')),
      [],
    );
  });

  test('only net opens sockets and asks resolvers for checks and the schedule', () => {
    const guarded = ['node:net', 'node:tls', 'node:dgram', 'node:http', 'node:https', 'node:dns', 'node:dns/promises'];
    const rooms = ['core', 'checks/*', 'checks', 'schedule', 'config', 'terminal'];
    for (const file of files.filter((file) => rooms.includes(roomOf(file)) && !file.endsWith('/responder.ts'))) {
      const opened = importsOf(file).filter(({ specifier, isHarmless }) => guarded.includes(specifier) && !isHarmless);
      assert.deepEqual(
        opened.map(({ specifier }) => specifier),
        [],
        `${file}: a check goes through context.net`,
      );
    }
  });
});
