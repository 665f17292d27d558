import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from '../../core/errors.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { monitorSpec } from '../../testing/server-status.ts';
import { MonitorBook } from './monitor-book.ts';

function moment(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A book over a store in memory that takes a moment for everything. */
function book() {
  const saved = new Map<string, JsonObject>();
  const told: (readonly string[])[] = [];
  const disk = { isFull: false };
  const said: string[] = [];
  const monitors = new MonitorBook({
    async saveMonitor({ id, definition }) {
      await moment();
      saved.set(id, definition);
    },
    monitors: async () => [...saved].map(([id, definition]) => ({ id, definition })),
    async deleteMonitor(id) {
      await moment();
      return saved.delete(id);
    },
    setPaused: moment,
    paused: async () => [],
    // The definitions below have names.
    read: ({ name }) => monitorSpec(name as string),
    async onChange(specs: readonly MonitorSpec[]) {
      await moment();
      if (disk.isFull) throw new AppError('unavailable', 'the disk is full');
      told.push(specs.map(({ name }) => name));
    },
    onUnreadable: (_id, message) => said.push(message),
  });
  return { monitors, saved, told, disk, said };
}

describe('SE11: a name stands for one monitor', () => {
  test('also when six ask for it at once', async () => {
    const { monitors, saved } = book();
    await monitors.load([]);
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => monitors.create({ name: 'web' })));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal(saved.size, 1);
    assert.equal(monitors.entries().length, 1);
  });

  test('SF13: an id too: the file gets none that was given through the interface, unless that monitor is gone', async () => {
    const { monitors } = book();
    await monitors.load([]);
    const { id } = (await monitors.create({ name: 'web' })).spec;
    const moved = { ...monitorSpec('front page'), id };
    await assert.rejects(monitors.replaceFile([moved]), { code: 'conflict', message: /"web" was made through/ });
    await monitors.remove('web');
    await monitors.replaceFile([moved]);
    assert.equal(monitors.find(id).spec.name, 'front page');
  });

  test('also when the file gets one of a name that was made through the interface: the file is not taken over', async () => {
    const { monitors } = book();
    await monitors.load([monitorSpec('door')]);
    const [made] = await Promise.allSettled([
      monitors.create({ name: 'web' }),
      monitors.replaceFile([monitorSpec('web')]),
    ]);
    assert.equal(made.status, 'fulfilled');
    await assert.rejects(monitors.replaceFile([monitorSpec('web')]), /a monitor "web" was made through the interface/);
    assert.deepEqual(
      monitors.entries().map(({ spec, origin }) => `${spec.name} ${origin}`),
      ['door file', 'web api'],
    );
  });

  test('also when that is found at the start: the one of the file runs, and the other is told', async () => {
    const { monitors, saved, said } = book();
    saved.set('id', { name: 'web' });
    await monitors.load([monitorSpec('web')]);
    assert.deepEqual(
      monitors.entries().map(({ origin }) => origin),
      ['file'],
    );
    assert.match(said.join(), /the configuration file has a monitor "web" too; rename one of them/);
  });

  test('changes that come while another is written are made after it', async () => {
    const { monitors } = book();
    await monitors.load([]);
    const [created] = await Promise.all([monitors.create({ name: 'web' }), monitors.create({ name: 'dns' })]);
    const outcomes = await Promise.allSettled([
      monitors.remove('web'),
      monitors.create({ name: 'web' }),
      monitors.change(created.spec.id, { name: 'other' }),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected'],
    );
  });
});

test('SF8: a file that cannot be taken over leaves what was there', async () => {
  const { monitors, disk } = book();
  await monitors.load([monitorSpec('door')]);
  disk.isFull = true;
  await assert.rejects(monitors.replaceFile([monitorSpec('gate')]), /the disk is full/);
  assert.deepEqual(
    monitors.entries().map(({ spec }) => spec.name),
    ['door'],
  );
  disk.isFull = false;
  await monitors.replaceFile([monitorSpec('gate')]);
});

test('SE11: an id is found before a name that is spelt like it, and no monitor may be called by the id of another', async () => {
  const { monitors } = book();
  const first = await monitors.create({ name: 'web' });
  await monitors.load([monitorSpec(first.spec.id, { id: 'from-file' })]);
  assert.equal(monitors.find(first.spec.id).spec.name, 'web');
  assert.equal(monitors.find('from-file').spec.name, first.spec.id);
  await assert.rejects(monitors.create({ name: 'from-file' }), { code: 'conflict', message: /has the id "from-file"/ });
  await assert.rejects(monitors.create({ name: 'w\u0435b' }), {
    code: 'conflict',
    message: /"web" already, which looks like/,
  });
});
