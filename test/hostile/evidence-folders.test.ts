import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { cp, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { contentOf, type LineContent } from '../../src/records/record-line.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { Fleet, type FleetAgent } from '../../src/testing/fleet.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const order = { by: 'the test', usb: {} };

/** A seat whose sensor says something whenever the order changes; its folder and the server's are there to be meddled with. */
class Scene implements AsyncDisposable {
  readonly fleet: Fleet;
  readonly seat: FleetAgent;

  private constructor(fleet: Fleet) {
    this.fleet = fleet;
    this.seat = fleet.agents[0]!;
  }

  static async open(sensors: readonly object[]): Promise<Scene> {
    return new Scene(await Fleet.open({ agents: 1, monitorsPerAgent: 1, sensors }));
  }

  get evidence(): string {
    return join(this.seat.folder, 'evidence', 'usb');
  }

  /** Every line in the seat's folder. */
  lines(): readonly LineContent[] {
    const files = globSync(join(this.evidence, '*.jsonl')).toSorted();
    const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1));
    return lines.flatMap((line) => contentOf(line) ?? []);
  }

  /** Resolves when the sensor was started once more, and the server has all that is written. */
  async startAgain(): Promise<void> {
    const before = this.#starts();
    this.fleet.watch([]);
    await eventually('it is stopped', () => this.lines().length === 0 || this.#lastEvent() === 'sensor-stopped');
    this.fleet.watch([order]);
    await this.untilStarted(before + 1);
  }

  async untilStarted(times: number): Promise<void> {
    await eventually(`started ${times} times`, () => this.#starts() >= times && this.#lastEvent() === 'sensor-state');
    await this.untilSent();
  }

  async untilSent(): Promise<void> {
    const written = (): number => this.lines().at(-1)?.n ?? 0;
    await eventually('the server has the last line', async () => (await this.#received()).includes(written()));
  }

  /** The server's folder as it was, or as it is to be. */
  async stopServer(change: (folder: string) => Promise<void>): Promise<void> {
    await this.fleet.server.stop();
    await change(this.fleet.serverFolder);
    this.fleet.server.start();
    await this.fleet.untilAnswering();
    await this.fleet.untilConnected();
  }

  async changeSeat(change: () => Promise<void>): Promise<void> {
    await this.seat.program.kill();
    await change();
    this.seat.program.start();
  }

  async alarms(): Promise<readonly string[]> {
    const { alarms } = await this.fleet.ask<{ alarms: readonly { cause: string }[] }>('/alarms');
    return alarms.map(({ cause }) => cause);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
  }

  async #received(): Promise<readonly number[]> {
    const times = `from=${new Date(0).toISOString()}&to=${new Date(Date.now() + 60_000).toISOString()}`;
    const { records } = await this.fleet.ask<{ records: readonly { n: number }[] }>(`/records?limit=1000&${times}`);
    return records.map(({ n }) => n);
  }

  #lastEvent(): string | undefined {
    return this.lines().at(-1)?.record.event;
  }

  #starts(): number {
    return this.lines().filter(({ record }) => record.event === 'sensor-started').length;
  }
}

test('a server whose older backup knows nothing of a chain has the agent begin another, and says nothing against it', async () => {
  await using scene = await Scene.open([]);
  const { serverFolder } = scene.fleet;
  await scene.stopServer((folder) => cp(folder, `${folder}.old`, { recursive: true }));
  await scene.startAgain();
  await scene.stopServer(async (folder) => {
    await removeFolder(folder);
    await rename(`${serverFolder}.old`, folder);
  });
  const begun = await eventually('another chain', () =>
    scene.lines().find(({ n, record }) => n === 1 && record.event === 'lost'),
  );
  assert.match(
    begun.record.event === 'lost' ? begun.record.message : '',
    /^the server does not know chain .* takes its place$/,
  );
  await scene.startAgain();
  assert.deepEqual(await scene.alarms(), []);
});

test('a server whose older backup has less of a chain raises one alarm for what is gone, and verifies what comes', async () => {
  await using scene = await Scene.open([order]);
  const { serverFolder } = scene.fleet;
  await scene.untilStarted(1);
  await scene.stopServer((folder) => cp(folder, `${folder}.old`, { recursive: true }));
  await scene.startAgain();
  await scene.stopServer(async (folder) => {
    await removeFolder(folder);
    await rename(`${serverFolder}.old`, folder);
  });
  await eventually('an alarm', async () => (await scene.alarms()).length > 0);
  await scene.startAgain();
  assert.deepEqual(await scene.alarms(), ['missing']);
});

test('a seat whose evidence folder was removed, or set back to a copy, raises an alarm each', async () => {
  await using scene = await Scene.open([order]);
  await scene.untilStarted(1);
  const copy = `${scene.evidence}.copy`;
  await scene.changeSeat(() => cp(scene.evidence, copy, { recursive: true }));
  await scene.untilStarted(2);
  await scene.changeSeat(async () => {
    await removeFolder(scene.evidence);
    await rename(copy, scene.evidence);
  });
  await eventually('an alarm', async () => (await scene.alarms()).some((cause) => /forked|rolled-back/.test(cause)));
  await scene.changeSeat(() => removeFolder(scene.evidence));
  await eventually('an alarm', async () => (await scene.alarms()).includes('begun-anew'));
});

test('a seat whose evidence files were edited says so, and its server has what was written', async () => {
  await using scene = await Scene.open([order]);
  await scene.untilStarted(1);
  await scene.changeSeat(async () => {
    const [file = ''] = globSync(join(scene.evidence, '*.jsonl'));
    const text = readFileSync(file, 'utf8');
    const end = text.lastIndexOf('"boot":');
    await writeFile(file, `${text.slice(0, end)}"boot":"edited${text.slice(end + '"boot":"edited'.length)}`);
  });
  const said = await eventually('it says so', () => scene.lines().find(({ record }) => record.event === 'lost'));
  assert.match(said.record.event === 'lost' ? said.record.message : '', /^expected the evidence files to hold line/);
  await scene.untilSent();
});
