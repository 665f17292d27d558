import assert from 'node:assert/strict';
import { globSync, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { fieldsOf } from '../../src/core/fields.ts';
import { checkModules, loadCheckType, moduleWords } from '../../src/checks/modules.ts';
import { checkTypes, checkWords, findCheckType } from '../../src/checks/registry.ts';
import { sensorNames } from '../../src/core/sensor.ts';
import { findNotifierType, notifierTypes } from '../../src/notify/registry.ts';
import { sensorTypes } from '../../src/sensors/registry.ts';

const checksFolder = resolve(import.meta.dirname, '../../src/checks');

describe('the registry of checks', () => {
  test('names each folder in src/checks, and no other', () => {
    const folders = globSync('*/', { cwd: checksFolder }).map((folder) => folder.replace(/\/$/, ''));
    const types = folders.filter((folder) => folder !== '_template').toSorted();
    assert.deepEqual(checkTypes.map(({ type }) => type).toSorted(), types);
  });

  test('has each word once', () => {
    assert.equal(new Set(checkWords).size, checkWords.length, checkWords.join(' '));
  });

  for (const module of checkModules) {
    test(`${module.type} is what its module exports under its name`, async () => {
      const check = await loadCheckType(module);
      assert.equal(check.type, module.type);
      for (const word of moduleWords(module)) assert.equal(findCheckType(word.toUpperCase()), check);
    });
  }

  test('has no type for other words', () => {
    for (const word of ['', '_template', '../checks', 'gopher', 'constructor'])
      assert.equal(findCheckType(word), undefined);
  });

  for (const { type, options, metrics, asks } of checkTypes) {
    test(`${type} has a test beside it that runs the contract`, () => {
      assert.ok(existsSync(resolve(checksFolder, type, `${type}.test.ts`)));
    });

    test(`${type} asks for options that it has, and offers values that it takes`, () => {
      const names = Object.keys(options.shape);
      for (const name of asks) assert.ok(names.includes(name), name);
      for (const { path, suggestions = [] } of fieldsOf(options))
        for (const text of suggestions) {
          const field = path.length === 1 ? options.shape[path[0] ?? ''] : undefined;
          assert.ok(
            text !== '' && (field === undefined || field.safeParse(text).success),
            `${path.join('.')}: ${text}`,
          );
        }
    });

    test(`${type} describes each of its options and metrics`, () => {
      for (const { path, description } of fieldsOf(options)) {
        assert.ok(description.length > 0, `option ${path.join('.')} has no description`);
      }
      for (const { name, meaning } of metrics) assert.ok(meaning.length > 0, `metric ${name} has no meaning`);
      assert.equal(new Set(metrics.map(({ name }) => name)).size, metrics.length, 'a metric is declared twice');
    });
  }
});

describe('the registry of notifiers', () => {
  const notifiersFolder = resolve(import.meta.dirname, '../../src/notify');

  test('names each folder in src/notify, and no other', () => {
    const folders = globSync('*/', { cwd: notifiersFolder }).map((folder) => folder.replace(/\/$/, ''));
    const kinds = folders.filter((folder) => folder !== '_template').toSorted();
    assert.deepEqual(notifierTypes.map(({ kind }) => kind).toSorted(), kinds);
  });

  test('has each kind once, and none for other words', () => {
    for (const type of notifierTypes) assert.equal(findNotifierType(type.kind.toUpperCase()), type);
    for (const word of ['', '_template', '../notify', 'fax', 'constructor'])
      assert.equal(findNotifierType(word), undefined);
  });

  for (const { kind, summary, notes, options, rate } of notifierTypes)
    test(`${kind} has a test beside it, describes each of its options, and says it in sentences`, () => {
      assert.ok(existsSync(resolve(notifiersFolder, kind, `${kind}.test.ts`)));
      for (const text of [summary, ...notes]) assert.match(text, /^[A-Z0-9`].*\.$/);
      for (const { path, description } of fieldsOf(options))
        assert.ok(description.length > 0, `option ${path.join('.')} has no description`);
      assert.ok(rate.burst >= 1 && rate.perSecond > 0);
    });
});

describe('the registry of sensors', () => {
  const sensorsFolder = resolve(import.meta.dirname, '../../src/sensors');

  test('names each folder in src/sensors, and no other', () => {
    const folders = globSync('*/', { cwd: sensorsFolder }).map((folder) => folder.replace(/\/$/, ''));
    assert.deepEqual(sensorTypes.map(({ type }) => type).toSorted(), folders.toSorted());
    assert.deepEqual(sensorNames.toSorted(), folders.toSorted());
  });

  for (const { type, options, summary } of sensorTypes)
    test(`${type} tells the watched person what it collects, and describes each of its options`, () => {
      assert.match(summary, /^[A-Z].*\.$/);
      for (const { path, description } of fieldsOf(options))
        assert.ok(description.length > 0, `option ${path.join('.')} has no description`);
    });
});
