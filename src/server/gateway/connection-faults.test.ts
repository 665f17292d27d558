import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError } from '../../protocol/frames.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { ConnectionFaults } from './connection-faults.ts';

function faults() {
  const lines: string[] = [];
  const counted: unknown[] = [];
  const health = {
    noteFault: (code: string) => counted.push(code),
    noteRefused: (count: number) => counted.push(count),
    noteCrowded: () => counted.push('crowded'),
  };
  const say = (text: string): void => void lines.push(text);
  return { lines, counted, faults: new ConnectionFaults({ clock: new FakeClock(), health, say }) };
}

const seat = { agentId: 'a', name: 'seat-17', address: '192.0.2.1' };
const stranger = { agentId: '', name: '', address: '192.0.2.9' };

test('who it was and what was wrong is told and counted; the words of a stranger are not told', () => {
  const { lines, counted, faults: connections } = faults();
  connections.ended(seat, new ProtocolError('quota', 'it says too much'));
  connections.ended(seat, new Error('the other side is silent'));
  connections.ended(stranger, new ProtocolError('bad-frame', 'expected text, got a binary frame'));
  connections.ended(stranger, new ProtocolError('unavailable', 'believe me', { quotesOther: true }));
  connections.ended(seat, new ProtocolError('replaced', 'this agent has opened a newer connection'));
  connections.refused(seat, 12, 'it is not its task');
  connections.heldBack(seat);
  connections.crowded('192.0.2.7');
  assert.deepEqual(lines.slice(0, 4), [
    'The connection from agent seat-17 at 192.0.2.1 ended: it says too much',
    'The connection from agent seat-17 at 192.0.2.1 ended: the other side is silent',
    'The connection from 192.0.2.9 ended: expected text, got a binary frame',
    'The connection from 192.0.2.9 ended: it does not speak as an agent does (unavailable)',
  ]);
  assert.match(
    lines[4] ?? '',
    /newer connection\. If this is said again, two processes use copies of one agent folder/,
  );
  assert.match(lines[5] ?? '', /^Agent seat-17 sent 12 entries that were not kept: it is not its task\.$/);
  assert.match(lines[6] ?? '', /^Agent seat-17 sends far more than its tasks make/);
  assert.match(lines[7] ?? '', /^There is no room for more connections, the last from 192\.0\.2\.7/);
  assert.deepEqual(counted, ['quota', 'connection', 'bad-frame', 'unavailable', 'replaced', 12, 'crowded']);
});
