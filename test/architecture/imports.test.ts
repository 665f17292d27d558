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
  'net/packets': [],
  'net/sys': [],
  net: ['core', 'net/packets', 'net/sys'],
  'checks/*': ['core', 'net', 'net/packets'],
  checks: ['core', 'checks/*'],
  'sensors/*': ['core', 'net', 'net/packets', 'net/sys'],
  sensors: ['core', 'sensors/*'],
  schedule: ['core', 'checks'],
  protocol: ['core'],
  agent: ['core', 'protocol', 'schedule', 'checks', 'sensors', 'net'],
  'server/store': ['core'],
  'server/pipeline': ['core'],
  'server/bus': ['core'],
  server: ['core', 'protocol', 'checks', 'sensors', 'server/store', 'server/pipeline', 'server/bus'],
  config: ['core', 'checks', 'sensors'],
  terminal: ['core'],
  main: ['commands'],
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
          (room === targetRoom && !isSibling) || allowed.includes(targetRoom),
          `${file} must not import ${target}`,
        );
      }
    });
  }

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

  test('only net/sys calls libc', () => {
    const callers = files.filter((file) => importsOf(file).some(({ specifier }) => specifier === 'node:ffi'));
    assert.deepEqual(
      callers.filter((file) => !file.startsWith('net/sys/')),
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
