import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentEnds } from '../../core/record.ts';
import { SeatSilence } from './seat-silence.ts';

function stand(room = { silent: 1, watched: 40 }) {
  const told: string[] = [];
  const watched = new Set(['seat-1']);
  const silence = new SeatSilence({
    now: () => 0,
    isWatched: ({ name }) => watched.has(name),
    room: () => room,
    onNotice: ({ agentId, sensor, kind, severity, text }) =>
      told.push(`${agentId} ${sensor} ${kind} ${severity}: ${text}`),
  });
  return { silence, told };
}

const seat = { agentId: 'id-1', name: 'seat-1' };

test('SG13: the silence of a watched seat is an alarm, and its end a notice', () => {
  const { silence, told } = stand();
  silence.note(seat.agentId, { event: 'watching' });
  silence.noteAgent({ ...seat, status: 'offline' });
  silence.noteAgent({ ...seat, status: 'online', awayMs: 130_400 });
  assert.deepEqual(told, [
    'id-1 undefined silent alarm: seat-1 has fallen silent: its agent was killed, its machine sleeps or is off, or the network between is gone',
    'id-1 undefined returned notice: seat-1 is heard again after 2 min 10 s of silence; its records say whether it watched meanwhile',
  ]);
});

test('SG13: the silence of a seat whose agent said that it ends is no alarm', () => {
  const { silence, told } = stand();
  silence.note(seat.agentId, { event: 'sensor-stopped', message: agentEnds });
  silence.noteAgent({ ...seat, status: 'offline' });
  silence.note(seat.agentId, { event: 'sensor-started', message: '' });
  silence.noteAgent({ ...seat, status: 'offline' });
  assert.match(
    told.join('\n'),
    /^id-1 undefined silent notice: seat-1 is silent: its agent was stopped\nid-1 .* alarm/,
  );
});

test('SG13: a seat that nobody watches may be silent', () => {
  const { silence, told } = stand();
  silence.noteAgent({ agentId: 'id-2', name: 'seat-2', status: 'offline' });
  silence.noteAgent({ agentId: 'id-2', name: 'seat-2', status: 'online', awayMs: 1000 });
  assert.deepEqual(told, []);
});

test('SG13: if half the room falls silent, the notice says to look at the server’s own network first', () => {
  for (const [silent, watched, isCommon] of [
    [20, 40, true],
    [19, 40, false],
    [2, 2, false],
    [3, 3, true],
  ] as const) {
    const { silence, told } = stand({ silent, watched });
    silence.noteAgent({ ...seat, status: 'offline' });
    assert.equal(
      /so have \d+ of \d+ watched seats: look at the server's own network first/.test(told[0] ?? ''),
      isCommon,
    );
  }
});
