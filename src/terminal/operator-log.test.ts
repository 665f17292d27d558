import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { lineSplitter, OperatorLog } from './operator-log.ts';

/** A stream that can fail, sleep and, as standard error does, outlive its errors. */
class Sink extends Writable {
  error: Error | undefined;
  written = '';
  isAsleep = false;

  readonly #outlivesErrors: boolean;

  constructor({ outlivesErrors = true } = {}) {
    super({ decodeStrings: false });
    this.#outlivesErrors = outlivesErrors;
  }

  override _write(chunk: string, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    if (this.isAsleep) return;
    if (!this.error) this.written += chunk;
    done(this.error);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error);
    // As node does for process.stderr.
    if (this.#outlivesErrors) (this as unknown as { _undestroy(): void })._undestroy();
  }
}

const clock = new FakeClock(Date.UTC(2026, 4, 1, 8));
const at = '2026-05-01T08:00:00.000Z';

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function lineOf(object: object): string {
  return `${JSON.stringify(object)}\n`;
}

describe('the log of a server or an agent', () => {
  test('SF1: a log that cannot be written loses lines, counts them, and says so when it can be written again', async () => {
    const sink = new Sink();
    const log = new OperatorLog({ clock, open: () => sink });
    log.say('one');
    await turn();
    sink.error = new Error('ENOSPC: no space left on device');
    for (const line of ['two', 'three', 'four']) {
      log.say(line);
      await turn();
    }
    assert.equal(log.lostLines, 3);
    sink.error = undefined;
    log.say('five');
    await turn();
    const lost = `${at} 3 lines of this log were lost: ENOSPC: no space left on device.\n`;
    assert.equal(sink.written, `${at} one\n${lost}${at} five\n`);
    assert.equal(log.lostLines, 3);
  });

  test('SI10: as JSON each line is an object with the same keys, as text it is the sentence alone', async () => {
    const [json, text] = [new Sink(), new Sink()];
    const logs = [
      new OperatorLog({ clock, format: 'json', open: () => json }),
      new OperatorLog({ clock, open: () => text }),
    ];
    for (const log of logs) {
      log.say('It is full.', { event: 'disk-low', level: 'warning', fields: { freeBytes: 0 } });
      log.say('A "line"\nof two');
    }
    await turn();
    assert.equal(
      json.written,
      lineOf({ time: at, level: 'warning', event: 'disk-low', message: 'It is full.', fields: { freeBytes: 0 } }) +
        lineOf({ time: at, level: 'info', event: 'note', message: 'A "line"\\nof two', fields: {} }),
    );
    assert.equal(text.written, `${at} It is full.\n${at} A "line"\\nof two\n`);
  });

  test('SF1: a reader that is asleep costs lines, not memory', async () => {
    const sink = new Sink();
    sink.isAsleep = true;
    const log = new OperatorLog({ clock, open: () => sink });
    for (let line = 0; line < 40_000; line++) log.say('x'.repeat(100));
    assert.ok(sink.writableLength < 1.1 * 1024 * 1024, `${sink.writableLength} bytes wait`);
    assert.ok(log.lostLines > 20_000, `${log.lostLines} lines were lost`);
  });

  test('SF1: a stream that an error destroyed is opened again', async () => {
    const sinks: Sink[] = [];
    const open = (): Sink => {
      const sink = new Sink({ outlivesErrors: false });
      sinks.push(sink);
      return sink;
    };
    const log = new OperatorLog({ clock, open });
    log.say('one');
    await turn();
    sinks[0]?.destroy(new Error('EIO'));
    await turn();
    log.say('two');
    await turn();
    assert.equal(sinks[1]?.written, `${at} two\n`);
  });

  test('AT3: a line with line ends and escape codes stays one line without them', async () => {
    const sink = new Sink();
    new OperatorLog({ clock, open: () => sink }).say('\u001b[31mred\n2026-05-01T08:00:00.000Z forged\u202e');
    await turn();
    assert.equal(sink.written, `${at} \\x1b[31mred\\n2026-05-01T08:00:00.000Z forged\\u202e\n`);
  });

  test('a very long line is cut', async () => {
    const sink = new Sink();
    new OperatorLog({ clock, open: () => sink }).say('x'.repeat(1_000_000));
    await turn();
    assert.ok(sink.written.length < 10_000);
  });

  test('lines that come in pieces are put together, and one without end comes in parts', () => {
    const lines: string[] = [];
    const split = lineSplitter((line) => lines.push(line), 10);
    for (const piece of ['on', 'e\ntw', 'o\n\nthr', 'ee\n', 'x'.repeat(25)]) split(piece);
    assert.deepEqual(lines, ['one', 'two', '', 'three', 'x'.repeat(25)]);
  });
});
