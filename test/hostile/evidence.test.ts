import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { SensorRecord } from '../../src/core/record.ts';
import { hashOf } from '../../src/records/chain.ts';
import type { Manifest } from '../../src/records/manifest.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { ChainWriter } from '../../src/testing/chain-writer.ts';
import { Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { AttackedServer } from './attacked-server.ts';
import { Liar } from './liar.ts';

const event: SensorRecord = { event: 'sensor-started', message: 'by order of the lab' };
const maxLineBytes = 200 * 1024;

interface AlarmAnswer {
  readonly cause: string;
  readonly n: number;
  readonly message: string;
}

describe('who lies about the records of sensors', { concurrency: false }, () => {
  let server: AttackedServer;
  let console: Watchkeeper;
  before(async () => {
    server = await AttackedServer.open();
    console = new Watchkeeper(['console', '--data', server.data]);
    await console.until(/help lists/);
  });
  after(async () => {
    await console[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  async function alarmsOf({ name }: Liar): Promise<readonly string[]> {
    const { alarms } = await server.ask<{ alarms: readonly AlarmAnswer[] }>(`/alarms?agent=${name}&limit=1000`);
    return alarms.map(({ cause, n }) => `${cause} ${n}`);
  }

  async function untilAlarms(liar: Liar, ...expected: readonly string[]): Promise<void> {
    await eventually(`alarms ${expected.join()}`, async () => {
      assert.deepEqual((await alarmsOf(liar)).toSorted(), expected.toSorted());
      return true;
    });
  }

  async function verifiedTo({ name }: Liar): Promise<number | undefined> {
    const { manifest } = await server.ask<{ readonly manifest: string }>(`/agents/${name}/evidence`);
    const { chains } = JSON.parse(manifest) as Manifest;
    return chains[0]?.verifiedTo;
  }

  test('with lines that are none, of the longest, of strange keys or with a line feed in them harms nobody', async () => {
    using liar = await Liar.join(server, 'liar-lines');
    const writer = new ChainWriter();
    await liar.begun(writer);
    const { chain } = writer.first;
    const whole = writer.write(event);
    const seal = (content: string): string => `{"n":2,"p":"${hashOf(whole)}",${content},"m":"${'A'.repeat(22)}"}`;
    const nested = '['.repeat(60_000) + ']'.repeat(60_000);
    await liar.send(chain, [
      whole,
      'x'.repeat(maxLineBytes),
      '{"n":1000000000000000,"p":"too far"}',
      seal('"sensor":"usb",\n"at":1'),
      seal(`"deep":${nested}`),
    ]);
    await untilAlarms(liar, 'malformed 0', 'edited 2');
    await liar.send(chain, [
      seal('"__proto__":{"sensor":"usb"},"constructor":1'),
      seal('"sensor":"mounts","event":"lost"'),
      seal('nothing that is JSON'),
    ]);
    await untilAlarms(liar, 'malformed 0', 'edited 2', 'forked 2');
    await server.untilOthersGoOn();
  });

  test('with the end of time, a text for a terminal or a name that climbs stays in its folder, and is printable', async () => {
    using liar = await Liar.join(server, '../../climber');
    const writer = new ChainWriter();
    await liar.begun(writer);
    const message = '\u001b]0;title\u0007\u001b[2J\u202eevil';
    const lines = [8.64e15, 0.5, 0].map((at) => writer.write({ event: 'lost', message }, { at }));
    await liar.send(writer.first.chain, lines);
    await console.until(/lost by 127\.0\.0\.1 \(usb\): \\x1b\]0;title\\x07\\x1b\[2J\\u202eevil/);
    const folder = join(server.data, 'clients', '127.0.0.1');
    const file = await eventually('its file', async () =>
      (await readdir(folder).catch(() => [])).find((name) => name.endsWith(`Z-usb-${liar.agentId.slice(-8)}.log`)),
    );
    await eventually('all of it is written', async () => {
      const text = await readFile(join(folder, file), 'utf8');
      assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\u202e]/u);
      return text.includes('+275760-09-13T00:00:00.000Z lost (usb)');
    });
    assert.doesNotMatch(server.said.replaceAll('\n', ''), /[\p{Cc}\u202e]/u);
  });

  test('with a line number far ahead costs nothing, and the agent must begin another chain', async () => {
    using liar = await Liar.join(server, 'liar-ahead');
    const writer = new ChainWriter();
    await liar.begun(writer);
    const far = writer.write(event).replace('{"n":1,', '{"n":999999999999999,');
    await liar.send(writer.first.chain, [far]);
    const head = { ...writer.head(), n: 999_999_999_999_999, head: hashOf(far) };
    for (let beat = 0; beat < 4; beat++) liar.announce(head);
    await untilAlarms(liar, 'missing 1');
    await eventually('it is told', () => {
      liar.announce(head);
      return liar.unknown().includes(writer.first.chain);
    });
  });

  test('with a head that was never written is one alarm, however many lines follow', async () => {
    using liar = await Liar.join(server, 'liar-head');
    const writer = new ChainWriter();
    await liar.begun(writer);
    const head = { ...writer.head(), n: Number.MAX_SAFE_INTEGER };
    for (let beat = 0; beat < 4; beat++) liar.announce(head);
    await untilAlarms(liar, 'missing 1');
    for (let n = 1; n <= 5; n++) {
      await liar.send(writer.first.chain, [writer.write(event)]);
      await eventually(`line ${n} is verified`, async () => (await verifiedTo(liar)) === n);
    }
    for (let n = 5; n > 0; n--) liar.announce(writer.head(n));
    await untilAlarms(liar, 'missing 1', `rolled-back ${Number.MAX_SAFE_INTEGER}`);
  });

  test("with another agent's chain, announced, begun or written, is refused, and the copy is told", async () => {
    using honest = await Liar.join(server, 'honest');
    using copy = await Liar.join(server, 'copy');
    const writer = new ChainWriter();
    await honest.begun(writer);
    const { chain } = writer.first;
    await honest.send(chain, [writer.write(event)]);
    copy.announce(writer.head());
    await eventually('it must begin another', () => copy.unknown().length === 1);
    copy.begin(writer);
    await eventually('it must begin another', () => copy.unknown().length === 2);
    await copy.send(chain, [writer.write(event)]);
    await untilAlarms(honest, 'forked 0');
    assert.deepEqual(await alarmsOf(copy), []);
    await eventually('it is said', () => /Agent copy sent 1 entries .* a chain of another agent/.test(server.said));
    await honest.send(chain, writer.lines);
    await untilAlarms(honest, 'forked 0');
  });

  test('with thousands of chains has a thousand, and its connection ends', async () => {
    using liar = await Liar.join(server, 'liar-chains');
    const writers = Array.from({ length: 2000 }, () => new ChainWriter());
    const entries = writers.map((writer, index) => ({
      seq: index + 1,
      item: { kind: 'record', chain: writer.first.chain, line: writer.write(event) },
    }));
    liar.line.say({ type: 'entries', lane: 'live', epoch: '1', entries });
    await liar.line.until('ack');
    await eventually('it is said', () => /liar-chains sent 1000 entries .* too many chains/.test(server.said));
    liar.begin(new ChainWriter());
    assert.equal(await liar.line.refusal(), 'quota');
    await server.untilOthersGoOn();
  });

  test('with ten thousand edited lines has a thousand alarms, and others are heard', async () => {
    using liar = await Liar.join(server, 'liar-edits');
    const writer = new ChainWriter();
    await liar.begun(writer);
    const mac = /"m":"[\w-]{22}"/;
    for (let batch = 0; batch < 5; batch++) {
      const lines = Array.from({ length: 2000 }, () => writer.write(event).replace(mac, `"m":"${'A'.repeat(22)}"`));
      await liar.send(writer.first.chain, lines);
    }
    await server.untilOthersGoOn();
    await eventually('a thousand alarms', async () => (await alarmsOf(liar)).length === 1000);
    const said = server.said.match(/records of liar-edits/g)?.length ?? 0;
    assert.ok(said <= 10, `${said} lines for the operator`);
  });

  test('with a heartbeat of another head whenever it may harms nobody, until its quota ends its connection', async () => {
    using liar = await Liar.join(server, 'liar-beats');
    const writer = new ChainWriter();
    await liar.begun(writer);
    for (let n = 1; n < 900; n++) liar.announce({ ...writer.head(), n, head: hashOf(String(n)) });
    await liar.line.until('heartbeat-seen');
    await server.untilOthersGoOn();
    for (let n = 0; n < 500; n++) liar.announce(writer.head());
    assert.equal(await liar.line.refusal(), 'quota');
  });
});
