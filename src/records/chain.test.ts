import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { describe, test } from 'node:test';
import { beginChain, follow, hashOf, readLine, seal, skipTo, type ChainState, type RecordBody } from './chain.ts';

const body = (byMs: number): RecordBody => ({
  event: 'clock-jump',
  byMs,
  sensor: 'usb',
  at: 1_700_000_000_000,
  monotonicMs: 5,
  boot: 'b',
});

/** A chain as its writer has it, and as the server begins to check it. */
function written(count: number): { readonly start: ChainState; readonly end: ChainState; readonly lines: string[] } {
  const start = beginChain(randomUUIDv7());
  let end = start;
  const lines = Array.from({ length: count }, (_, index) => {
    const sealed = seal(end, body(index));
    end = sealed.state;
    return sealed.line;
  });
  return { start, end, lines };
}

/** The faults met on the way, by line number. */
function faultsIn(start: ChainState, lines: readonly string[]): Record<number, string> {
  const faults: Record<number, string> = {};
  let state = start;
  for (const line of lines) {
    const next = follow(state, line);
    state = next.state;
    if (next.fault) faults[state.n] = next.fault;
  }
  return faults;
}

describe('a chain of records', () => {
  test('as it was written has no fault, and both sides end with the same head', () => {
    const { start, end, lines } = written(20);
    assert.deepEqual(faultsIn(start, lines), {});
    const last = lines.reduce((state, line) => follow(state, line).state, start);
    assert.deepEqual(last, end);
    assert.equal(end.head, hashOf(lines.at(-1) ?? ''));
    assert.equal(readLine(lines[0] ?? '')?.previous, hashOf(start.chain));
  });

  test('any one byte changed is found', () => {
    const { start, lines } = written(3);
    const [first = '', second = '', third = ''] = lines;
    for (let at = 0; at < second.length; at++) {
      for (const other of ['x', '0']) {
        if (second[at] === other) continue;
        const changed = second.slice(0, at) + other + second.slice(at + 1);
        assert.notDeepEqual(faultsIn(start, [first, changed, third]), {}, `byte ${at} changed to ${other}`);
      }
    }
  });

  test('two lines that change places, and one that is gone, are found', () => {
    const { start, lines } = written(4);
    const [first = '', second = '', third = '', fourth = ''] = lines;
    assert.equal(faultsIn(start, [first, third, second, fourth])[2], 'malformed');
    assert.equal(faultsIn(start, [first, third, fourth])[2], 'malformed');
  });

  test('who has the key of now cannot write the past anew', () => {
    const { start, end, lines } = written(5);
    const past = seal({ ...end, n: 2, head: readLine(lines[2] ?? '')?.previous }, body(99));
    assert.deepEqual(faultsIn(start, [...lines.slice(0, 2), past.line]), { 3: 'edited' });
  });

  test('who cuts the end and goes on with the key of now is found', () => {
    const { start, end, lines } = written(5);
    const forged = seal({ ...end, n: 3, head: hashOf(lines[2] ?? '') }, body(99));
    assert.deepEqual(faultsIn(start, [...lines.slice(0, 3), forged.line]), { 4: 'edited' });
  });

  test('goes on behind lines that are missing, with the MACs checked and the one link not', () => {
    const { start, lines } = written(6);
    const behind = skipTo(start, 4);
    assert.deepEqual(faultsIn(behind, lines.slice(3)), {});
    assert.throws(() => skipTo(behind, 2), RangeError);
    assert.throws(() => skipTo(start, 2_000_000), /million missing lines/);
  });

  test('a line in place of another with the right MAC and the wrong link is unlinked', () => {
    const { start, lines } = written(1);
    const { state } = follow(start, lines[0] ?? '');
    const other = seal({ ...state, head: hashOf('another line') }, body(1));
    assert.equal(follow(state, other.line).fault, 'unlinked');
  });

  test('what is no line of a chain is malformed', () => {
    const start = beginChain(randomUUIDv7());
    for (const line of ['', '{}', '{"n":1}', 'x'.repeat(100_000)]) assert.equal(follow(start, line).fault, 'malformed');
  });
});
