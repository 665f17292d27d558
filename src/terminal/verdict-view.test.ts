import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SensorFacts, Verdict } from '../records/verify/verdict.ts';
import { plain } from './paint.ts';
import { formatVerdict } from './verdict-view.ts';

const [from, to] = [Date.UTC(2026, 11, 2, 8), Date.UTC(2026, 11, 2, 10)];
const usb: SensorFacts = {
  sensor: 'usb',
  chains: [{ chain: 'c1', runs: [{ first: 1, last: 180 }], kept: { first: 1, last: 180 }, verifiedTo: 180 }],
  records: { from, to },
  orders: ['agent 1.0.0, by order of the lab, with the options {}'],
  blind: [],
  lost: [],
};
const whole: Verdict = {
  judgement: 'complete',
  findings: [],
  agent: { id: 'agent-1', name: 'seat-17' },
  signature: { serverId: 's1', pin: 'P', expectedPin: 'P', madeAt: '2026-12-02T10:05:00.000Z', version: '1.0.0' },
  asked: { from: '2026-12-02T08:00:00.000Z', to: '2026-12-02T10:00:00.000Z' },
  sensors: [usb],
  alarms: [],
};

function headline(verdict: Verdict): string {
  return formatVerdict(verdict, { paint: plain, columns: 200, zone: 'Europe/Berlin' }).split('\n')[0] ?? '';
}

test('SG8: the verdict names the machine, the sensors and the time: of others it proves nothing', () => {
  assert.equal(headline(whole), 'GENUINE AND COMPLETE for seat-17, usb, 2026-12-02 09:00:00 to 11:00:00');
  const mounts = { ...usb, sensor: 'mounts', lost: ['it watched in part only: looks every 2 s'] };
  const both: Verdict = { ...whole, judgement: 'genuine', sensors: [usb, mounts] };
  assert.equal(headline(both), 'GENUINE, with 1 reported loss, for seat-17, usb and mounts');
  assert.equal(headline({ ...whole, judgement: 'genuine', sensors: [] }), 'GENUINE, WITHOUT ANY RECORD, for seat-17');
});

test('SG8: who ordered the watching stands beside its records; a name cannot pass for another', () => {
  const text = formatVerdict(
    { ...whole, agent: { id: 'agent-1', name: 'seat-17\u200b\u202e' } },
    { paint: plain, columns: 200, zone: 'UTC' },
  );
  assert.match(text, /^ {2}Watched by agent 1\.0\.0, by order of the lab, with the options \{\}\.$/m);
  assert.match(text, /^GENUINE AND COMPLETE for seat-17\\u200b\\u202e, usb, /);
});
