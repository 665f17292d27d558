import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { z } from 'zod';
import type { RecordItem } from '../core/entry.ts';
import type { SensorRecord } from '../core/record.ts';
import type { RunningSensor, SensorContext, SensorType } from '../core/sensor.ts';
import type { SensorOrder } from '../protocol/messages.ts';
import { contentOf, lineText } from '../records/record-line.ts';
import { eventually } from '../testing/eventually.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { removeFolder } from '../testing/remove-folder.ts';
import type { KeptOrder } from './agent-file.ts';
import type { ChainBegin } from './hosted-sensor.ts';
import { usualRules } from './local-rules.ts';
import { SensorHost } from './sensor-host.ts';

const options = z.strictObject({ depth: z.int().default(1) });
const nobody: SensorOrder = { sensors: [], by: '' };
const start = Date.UTC(2026, 11, 2, 9);

/** A sensor that says what it is told to. */
class Instrument {
  readonly type: SensorType<typeof options> = {
    type: 'usb',
    title: 'USB devices',
    summary: 'What is plugged in.',
    classOfData: 'devices',
    options,
    start: (given, context) => this.#start(given, context),
  };
  readonly starts: number[] = [];
  running: SensorContext | undefined;
  mistake: Error | undefined;
  /** What it writes as it stops. */
  lastRecord: SensorRecord | undefined;
  hangs = false;

  #start({ depth }: z.output<typeof options>, context: SensorContext): Promise<RunningSensor> {
    this.starts.push(depth);
    if (this.mistake) return Promise.reject(this.mistake);
    if (this.hangs) return new Promise(() => {});
    this.running = context;
    context.onState({ state: 'running', message: 'looks' });
    const stop = (): Promise<void> => {
      if (this.lastRecord) context.record(this.lastRecord);
      this.running = undefined;
      return Promise.resolve();
    };
    return Promise.resolve({ stop });
  }
}

/** One agent's sensors in a folder of their own, and a server that answers for its chains if it is there. */
class Stand {
  readonly clock = new FakeClock(start);
  readonly instrument = new Instrument();
  readonly begins: ChainBegin[] = [];
  readonly spooled: string[] = [];
  /** How many sensors the person at the machine was told of, each time. */
  rules = usualRules;
  readonly told: number[] = [];
  readonly folder: string;
  isConnected = true;
  host: SensorHost;
  #life = { isOver: false };

  constructor(folder: string) {
    this.folder = folder;
    this.host = this.#host(nobody);
  }

  restart(kept: KeptOrder): void {
    this.host = this.#host(kept);
  }

  /** The process ends without a word, once all it recorded is on disk: its timers fire no more. */
  async die(): Promise<void> {
    await eventually('all is on disk', () => this.host.heads[0]?.n === this.records().length);
    this.#life.isOver = true;
    this.instrument.running = undefined;
  }

  /** What was seen, by the files. */
  records(): SensorRecord[] {
    const files = globSync(join(this.folder, 'usb/*.jsonl')).toSorted();
    const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1));
    return lines.map((line) => contentOf(line)!.record);
  }

  events(): string[] {
    return this.records().map(({ event }) => event);
  }

  async untilSeen(...events: string[]): Promise<void> {
    await eventually(`${events.join()} are recorded`, () => this.events().join() === events.join()).catch((error) => {
      throw new Error(`recorded: ${this.events().join()}`, { cause: error });
    });
  }

  #host(kept: KeptOrder): SensorHost {
    const { clock } = this;
    const life = { isOver: false };
    this.#life = life;
    return new SensorHost(
      {
        clock: {
          now: () => clock.now(),
          monotonic: () => clock.monotonic(),
          after: (delayMs, callback) => clock.after(delayMs, () => life.isOver || callback()),
        },
        machine: this.clock,
        types: [this.instrument.type],
        rules: this.rules,
        folder: this.folder,
        spool: { append: async (item) => this.spooled.push((item as RecordItem).line) },
        textOf: lineText,
        version: '1.2.3',
        announce: (begin) => this.#answer(begin),
        onOrder: ({ sensors }) => this.told.push(sensors.length),
        onFault: () => {},
      },
      kept,
    );
  }

  #answer(begin: ChainBegin): void {
    this.begins.push(begin);
    if (this.isConnected) queueMicrotask(() => this.host.onChainBegun(begin.chain));
  }
}

async function standFor(t: TestContext): Promise<Stand> {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-sensors-'));
  const stand = new Stand(folder);
  t.after(async () => {
    await stand.host.stop();
    await removeFolder(folder);
  });
  return stand;
}

const order = (depth = 1): SensorOrder => ({ sensors: [{ sensor: 'usb', options: { depth } }], by: 'the lab' });

describe('the sensors of an agent', () => {
  test('E5: run while they are ordered, each run with a beginning and an end in its records', async (t) => {
    const stand = await standFor(t);
    stand.host.start();
    stand.host.take(order());
    await eventually('it runs', () => stand.instrument.running);
    stand.instrument.running?.record({ event: 'clock-jump', byMs: 1 });
    await stand.untilSeen('sensor-started', 'sensor-state', 'clock-jump');
    stand.host.take(nobody);
    await stand.untilSeen('sensor-started', 'sensor-state', 'clock-jump', 'sensor-stopped');
    assert.deepEqual(stand.records()[0], {
      event: 'sensor-started',
      message: 'agent 1.2.3, by order of the lab, with the options {"depth":1}',
    });
    assert.deepEqual(stand.records()[3], { event: 'sensor-stopped', message: 'by order of the server' });
    assert.deepEqual(stand.host.reports, []);
    await eventually('all are in the spool', () => stand.spooled.length === 4);
    await eventually('the last line is the head', () => stand.host.heads[0]?.n === 4);
  });

  test('other options are another run, the same options change nothing', async (t) => {
    const stand = await standFor(t);
    stand.host.take(order(1));
    await eventually('it runs', () => stand.instrument.running);
    stand.host.take(order(1));
    stand.host.take(order(2));
    await eventually('it runs again', () => stand.instrument.starts.length === 2);
    assert.deepEqual(stand.instrument.starts, [1, 2]);
    const stopped = await eventually('its stop is recorded', () => stand.records()[2]);
    assert.deepEqual(stopped, { event: 'sensor-stopped', message: 'to begin again with what is ordered now' });
    assert.deepEqual(stand.host.reports, [{ sensor: 'usb', state: 'running', message: 'looks' }]);
  });

  test('nothing is collected before the server knows the first key; it is told again at each connection', async (t) => {
    const stand = await standFor(t);
    stand.isConnected = false;
    stand.host.take(order());
    await eventually('the chain is announced', () => stand.begins.length === 1);
    assert.deepEqual([stand.instrument.starts, stand.host.heads], [[], []]);
    assert.equal(stand.host.reports[0]?.state, 'unavailable');
    stand.isConnected = true;
    stand.host.announce();
    await eventually('it runs', () => stand.instrument.running);
    assert.deepEqual(stand.begins[0], stand.begins[1]);
    stand.host.announce();
    assert.equal(stand.begins.length, 2);
  });

  test('a chain that the server does not know ends, and the sensor goes on with another', async (t) => {
    const stand = await standFor(t);
    stand.host.take(order());
    await stand.untilSeen('sensor-started', 'sensor-state');
    const [before] = stand.host.heads;
    stand.host.onChainUnknown(crypto.randomUUID());
    stand.host.onChainUnknown(before!.chain);
    stand.host.onChainUnknown(before!.chain);
    await stand.untilSeen('sensor-started', 'sensor-state', 'lost');
    stand.instrument.running?.record({ event: 'clock-jump', byMs: 1 });
    await stand.untilSeen('sensor-started', 'sensor-state', 'lost', 'clock-jump');
    assert.deepEqual([stand.begins.length, stand.instrument.starts], [2, [1]]);
    // A line can be read before the state that follows it is saved.
    await eventually('both lines are safe', () => stand.host.heads[0]?.n === 2);
    assert.equal(stand.host.heads[0]?.chain, stand.begins[1]?.chain);
  });

  test('an agent that starts without its server goes on with what was ordered, on the same chain', async (t) => {
    const stand = await standFor(t);
    stand.host.take(order());
    await stand.untilSeen('sensor-started', 'sensor-state');
    const [before] = stand.host.heads;
    await stand.host.stop();
    assert.deepEqual(stand.records()[2], { event: 'sensor-stopped', message: 'the agent ends' });
    stand.isConnected = false;
    stand.restart(order());
    stand.host.start();
    await eventually('it runs', () => stand.instrument.running);
    assert.equal(stand.host.heads[0]?.chain, before?.chain);
  });

  test('what is not ordered any more is not collected, yet its chain still tells where it ends', async (t) => {
    const stand = await standFor(t);
    stand.host.take(order());
    await stand.untilSeen('sensor-started', 'sensor-state');
    await stand.host.stop();
    stand.restart(nobody);
    stand.host.start();
    await eventually('the head is told', () => stand.host.heads[0]?.n === 3);
    assert.equal(stand.instrument.starts.length, 1);
  });

  test('ends when the time agreed on has come, without a word of the server', async (t) => {
    const stand = await standFor(t);
    stand.host.start();
    stand.host.take({ ...order(), until: start + 60_000 });
    await stand.untilSeen('sensor-started', 'sensor-state');
    await stand.clock.advance(59_999);
    assert.ok(stand.instrument.running);
    await stand.clock.advance(1);
    await eventually('it is stopped', () => !stand.instrument.running);
    await stand.untilSeen('sensor-started', 'sensor-state', 'watching', 'sensor-stopped');
    assert.deepEqual(stand.records()[3], { event: 'sensor-stopped', message: 'the time agreed on has come' });
    assert.deepEqual([stand.host.order.sensors, stand.host.reports], [[], []]);
    assert.deepEqual(stand.told, [0, 1, 0], 'the person at the machine is told');
    // Neither a clock that is set back nor a restart brings it back.
    stand.clock.stepWall(-30_000);
    await stand.clock.advance(2000);
    assert.equal(stand.instrument.starts.length, 1);
  });

  test('a wall clock that is set is a record, one that drifts is none', async (t) => {
    const stand = await standFor(t);
    stand.host.start();
    stand.host.take(order());
    await stand.untilSeen('sensor-started', 'sensor-state');
    stand.clock.stepWall(1900);
    await stand.clock.advance(2000);
    stand.clock.stepWall(-3_600_000);
    await stand.clock.advance(2000);
    await stand.untilSeen('sensor-started', 'sensor-state', 'clock-jump');
    assert.deepEqual(stand.records()[2], { event: 'clock-jump', byMs: -3_600_000 });
  });

  test('SG7: a clock that is set in small steps is told once they come to more than two seconds', async (t) => {
    const stand = await standFor(t);
    stand.host.start();
    stand.host.take(order());
    await stand.untilSeen('sensor-started', 'sensor-state');
    for (let step = 0; step < 3; step++) {
      stand.clock.stepWall(900);
      await stand.clock.advance(2000);
    }
    for (let step = 0; step < 20; step++) {
      stand.clock.stepWall(step % 2 === 0 ? 1500 : -1500);
      await stand.clock.advance(2000);
    }
    await stand.untilSeen('sensor-started', 'sensor-state', 'clock-jump', 'watching');
    assert.deepEqual(stand.records()[2], { event: 'clock-jump', byMs: 2700 });
  });

  test('SG5: silence is evidence too: a record every 40 seconds in which there was no other', async (t) => {
    const stand = await standFor(t);
    stand.host.start();
    stand.host.take(order());
    await stand.untilSeen('sensor-started', 'sensor-state');
    await stand.clock.advance(30_000);
    stand.instrument.running?.record({ event: 'clock-jump', byMs: 1 });
    await stand.untilSeen('sensor-started', 'sensor-state', 'clock-jump');
    await stand.clock.advance(39_999);
    assert.equal(stand.events().length, 3);
    await stand.clock.advance(1);
    await stand.untilSeen('sensor-started', 'sensor-state', 'clock-jump', 'watching');
    stand.host.take(nobody);
    await stand.untilSeen('sensor-started', 'sensor-state', 'clock-jump', 'watching', 'sensor-stopped');
    await stand.clock.advance(100_000);
    assert.equal(stand.events().length, 5);
  });

  for (const [cause, how, boot] of [
    ['killed', 'kill', 'boot-1'],
    ['lost-power', 'kill', 'boot-2'],
    ['stopped', 'stop', 'boot-1'],
    ['restarted', 'stop', 'boot-2'],
  ] as const) {
    test(`SG5: after the agent was ${how === 'stop' ? 'stopped' : 'killed'} and began again in ${boot}, the chain says since when nobody watched`, async (t) => {
      const stand = await standFor(t);
      stand.host.start();
      stand.host.take(order());
      await stand.untilSeen('sensor-started', 'sensor-state');
      if (how === 'stop') await stand.host.stop();
      else await stand.die();
      const before = stand.records().length;
      stand.clock.boot = boot;
      await stand.clock.advance(12_000);
      stand.restart(order());
      stand.host.start();
      await eventually('it runs again', () => stand.records()[before + 1]?.event === 'sensor-started');
      assert.deepEqual(stand.records()[before], { event: 'not-watching', cause, from: start, seconds: 12 });
    });
  }

  test('SG5: a kill just before the end of the order is told, although nothing is ordered when the agent begins again', async (t) => {
    const stand = await standFor(t);
    stand.host.take(order());
    await stand.untilSeen('sensor-started', 'sensor-state');
    await stand.die();
    await stand.clock.advance(12_000);
    stand.restart(nobody);
    stand.host.start();
    await stand.untilSeen('sensor-started', 'sensor-state', 'not-watching');
  });

  test('SG5: a machine that slept, a process that was halted and a clock that was set are told apart', async (t) => {
    const stand = await standFor(t);
    stand.host.start();
    stand.host.take(order());
    await stand.untilSeen('sensor-started', 'sensor-state');
    stand.clock.suspend(600_000);
    await stand.clock.advance(2000);
    await stand.untilSeen('sensor-started', 'sensor-state', 'not-watching');
    assert.deepEqual(stand.records()[2], { event: 'not-watching', cause: 'asleep', from: start, seconds: 600 });
    const since = stand.clock.now();
    stand.clock.stall(9000);
    await stand.clock.advance(2000);
    await stand.untilSeen('sensor-started', 'sensor-state', 'not-watching', 'not-watching');
    assert.deepEqual(stand.records()[3], { event: 'not-watching', cause: 'paused', from: since, seconds: 9 });
  });

  for (const [what, byMs] of [
    ['forward', 2 * 3_600_000],
    ['back', -2 * 3_600_000],
  ] as const) {
    test(`SG7: a clock that is set ${what} by two hours neither ends the watching nor prolongs it`, async (t) => {
      const stand = await standFor(t);
      stand.host.start();
      const ends = { boot: stand.clock.boot, uptimeMs: stand.clock.uptimeMs() + 60_000 };
      stand.host.take({ ...order(), until: start + 60_000, ends });
      await stand.untilSeen('sensor-started', 'sensor-state');
      stand.clock.stepWall(byMs);
      await stand.clock.advance(12_000);
      assert.ok(stand.instrument.running);
      await stand.untilSeen('sensor-started', 'sensor-state', 'clock-jump');
      await stand.die();
      stand.restart({ ...order(), until: start + 60_000, ends });
      stand.host.start();
      await eventually('an agent that begins again goes on', () => stand.instrument.running);
      await stand.clock.advance(47_900);
      assert.ok(stand.instrument.running);
      await stand.clock.advance(100);
      await eventually('it is stopped', () => !stand.instrument.running);
    });
  }

  test('options that do not fit are said, and nothing runs', async (t) => {
    const stand = await standFor(t);
    stand.host.take({ sensors: [{ sensor: 'usb', options: { deep: true } }], by: 'the lab' });
    await eventually('it says so', () => /deep/.test(stand.host.reports[0]?.message ?? ''));
    assert.equal(stand.host.reports[0]?.state, 'unavailable');
    assert.match(stand.host.reports[0]?.message ?? '', /^the options do not fit: options: /);
    assert.deepEqual(stand.instrument.starts, []);
  });

  test('a sensor with a mistake is said to have one, and the agent goes on', async (t) => {
    const stand = await standFor(t);
    stand.instrument.mistake = new TypeError('x is undefined');
    stand.host.take(order());
    await eventually('it says so', () =>
      /a mistake in this program: x is undefined/.test(stand.host.reports[0]?.message ?? ''),
    );
    stand.instrument.mistake = undefined;
    stand.host.take(order(2));
    await eventually('it runs', () => stand.instrument.running);
  });

  test('a sensor whose start never ends holds up neither another order nor the end of the agent', async (t) => {
    const stand = await standFor(t);
    stand.instrument.hangs = true;
    stand.host.take(order(1));
    await stand.untilSeen('sensor-started');
    stand.host.take(order(2));
    await stand.clock.advance(2000);
    await eventually('it is started again', () => stand.instrument.starts.length === 2);
    const stopped = stand.host.stop();
    await stand.clock.advance(2000);
    await stopped;
    assert.deepEqual(stand.events(), ['sensor-started', 'sensor-stopped', 'sensor-started', 'sensor-stopped']);
  });

  test('SG5: a sensor that writes as it stops keeps no agent from ending, which would then be killed and accused of it', async (t) => {
    const stand = await standFor(t);
    stand.host.start();
    stand.host.take(order());
    await stand.untilSeen('sensor-started', 'sensor-state');
    stand.instrument.lastRecord = { event: 'watching' };
    await stand.host.stop();
    await stand.untilSeen('sensor-started', 'sensor-state', 'watching', 'sensor-stopped');
    assert.equal(stand.clock.pending, 0);
  });

  test('a sensor that this agent does not have is said to be missing', async (t) => {
    const stand = await standFor(t);
    stand.host.take({ sensors: [{ sensor: 'traffic', options: {} }], by: 'the lab' });
    assert.deepEqual(stand.host.reports, [
      { sensor: 'traffic', state: 'unavailable', message: 'this agent has no such sensor: update it' },
    ]);
  });

  test('a folder that refuses is said, and tried again', async (t) => {
    const stand = await standFor(t);
    await writeFile(join(stand.folder, 'usb'), 'a file where the folder should be');
    stand.host.take(order());
    await eventually('it says so', () => /refuses.*ENOTDIR/.test(stand.host.reports[0]?.message ?? ''));
    await rm(join(stand.folder, 'usb'));
    await stand.clock.advance(5000);
    await eventually('it runs', () => stand.instrument.running);
  });

  test('what is older than its class of data may be is deleted, and not what is being written', async (t) => {
    const stand = await standFor(t);
    stand.host.start();
    stand.host.take(order());
    await stand.untilSeen('sensor-started', 'sensor-state');
    const old = join(stand.folder, 'usb', '2026-01-01T00-00-00-000Z');
    const ages = { [`${old}.jsonl`]: 181, [`${old}.log`]: 181, [`${old.replace('01-01', '01-02')}.jsonl`]: 179 };
    for (const [file, days] of Object.entries(ages)) {
      await writeFile(file, '');
      await utimes(file, 0, (stand.clock.now() - days * 86_400_000) / 1000);
    }
    await stand.clock.advance(3600_000);
    const names = async (): Promise<string[]> => (await readdir(join(stand.folder, 'usb'))).toSorted();
    await eventually('it is gone', async () => !(await names()).some((name) => name.startsWith('2026-01-01')));
    assert.deepEqual(
      (await names()).filter((name) => name.endsWith('.jsonl')),
      ['2026-01-02T00-00-00-000Z.jsonl', '2026-12-02T09-00-00-000Z.jsonl'],
    );
  });
});
