import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatAvailability } from './availability-view.ts';
import { formatIncident, formatIncidents, type FullIncidentRow } from './incident-view.ts';
import { plain } from './paint.ts';
import { formatLength } from './time-length.ts';
import { formatStates, type StateRowView } from './state-view.ts';
import { widthOf } from './text.ts';
import { formatWindows } from './window-view.ts';

const view = { paint: plain, columns: 80 };
const now = Date.parse('2026-11-28T12:00:00Z');
const evil = 'web\u001b[2J\u202e\nrm -rf';

const state: StateRowView = {
  monitor: 'shop front page',
  state: 'down',
  since: '2026-11-28T09:55:00Z',
  verdict: 'target',
  paused: false,
  unstableSince: null,
  incident: '0193a0de-0000-7000-8000-000000000001',
  summary: 'TLS expired',
  scope: 'from 3 of 3 places',
  acknowledged: { by: 'Ana', note: 'renewing' },
  voices: [{ agent: 'berlin', state: 'down', message: 'The certificate expired on 27 November.' }],
};

const incident: FullIncidentRow = {
  id: '0193a0de-0000-7000-8000-000000000001',
  subject: { kind: 'monitor', name: 'shop front page' },
  state: 'down',
  worst: 'down',
  verdict: 'target',
  summary: 'TLS expired',
  scope: 'from 3 of 3 places',
  target: 'https://shop.example.org/',
  startedAt: '2026-11-28T09:55:00Z',
  confirmedAt: '2026-11-28T09:55:02Z',
  endedAt: null,
  endReason: null,
  durationMs: 7_500_000,
  reopened: 1,
  acknowledged: { by: 'Ana', note: 'renewing', until: '2026-11-29T10:00:00Z' },
  leader: null,
  members: [],
  recipients: [
    { notifier: 'ops-mail', step: 0, told: 'down', toldAt: '2026-11-28T09:55:03Z', held: null },
    {
      notifier: 'boss',
      step: 1,
      told: null,
      toldAt: null,
      held: { reason: 'acknowledged', by: 'Ana', since: '2026-11-28T10:00:00Z', until: '2026-11-29T10:00:00Z' },
    },
  ],
  facts: [
    { label: 'expected', text: 'a certificate that is valid for 14 more days, and it expired on 27 November 2026' },
  ],
  events: [
    { at: '2026-11-28T09:55:02Z', kind: 'opened', detail: { state: 'down', summary: 'TLS expired', reopened: 0 } },
    { at: '2026-11-28T09:55:02Z', kind: 'sent', detail: { notifier: 'ops-mail', message: 'problem', step: 0 } },
    { at: '2026-11-28T10:00:00Z', kind: 'acknowledged', detail: { by: 'Ana', note: 'renewing' } },
    { at: '2026-11-28T10:00:00Z', kind: 'held', detail: { notifier: 'boss', reason: 'acknowledged', by: 'Ana' } },
  ],
};

/** Fits a terminal of 80 columns, and drives none. */
function assertHarmless(text: string): void {
  for (const line of text.split('\n')) assert.ok(widthOf(line) <= 80, line);
  // oxlint-disable-next-line no-control-regex -- what must not be there
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
}

describe('what is wrong now', () => {
  test('says what, since when, from where and who has it, the gravest first, and counts the rest', () => {
    const states: readonly StateRowView[] = [
      { ...state, monitor: 'slow', state: 'degraded', summary: 'slow', scope: null, acknowledged: null, voices: [] },
      state,
      { ...state, monitor: 'fine', state: 'up', summary: null, scope: null, verdict: null },
      { ...state, monitor: 'asleep', paused: true },
    ];
    const text = formatStates(states, { ...view, now });
    assertHarmless(text);
    assert.match(text, /down\s+shop front page\s+2026-11-28 \d\d:55:00 \(2 h 5 min\)\s+Ana/);
    assert.match(text, /TLS expired from 3 of 3 places; The certificate expired on 27 November\.;\s+Ana: renewing/);
    assert.ok(text.indexOf('shop front page') < text.indexOf('slow'));
    assert.ok(!text.includes('asleep'));
    assert.match(text, /\n1 down, 1 degraded, 1 up, 1 paused\.$/);
  });

  test('says so where nothing is, and where there is nothing', () => {
    assert.equal(formatStates([{ ...state, state: 'up' }], { ...view, now }), 'The monitor is up.');
    assert.equal(formatStates([], { ...view, now }), 'There are no monitors.');
  });

  test('whatever things are called', () => {
    const acknowledged = { by: evil, note: evil };
    assertHarmless(
      formatStates([{ ...state, monitor: evil.repeat(30), summary: evil, acknowledged }], { ...view, now }),
    );
  });
});

describe('an incident', () => {
  test('is told with its verdict, who has it, who was told, who was not and why, and its timeline', () => {
    const text = formatIncident(incident, view);
    assertHarmless(text);
    assert.match(text, /^\S* ?down shop front page: TLS expired from 3 of 3 places\n/);
    assert.match(text, /\nlasted +2 h 5 min, not over\n/);
    assert.match(text, /\nwho has it +Ana: renewing \(until /);
    assert.match(text, /\nops-mail +told down at /);
    assert.match(text, /\nboss +told nothing; held back: acknowledged \(Ana\) until /);
    assert.match(text, / {2}sent to ops-mail: problem\n/);
    assert.match(text, / {2}taken by Ana: renewing\n/);
    assert.match(text, / {2}held back from boss: acknowledged \(Ana\)\n/);
    assert.ok(text.endsWith(`Incident ${incident.id}`));
  });

  test('stands in the list, open or ended', () => {
    const ended = { ...incident, state: 'up', endedAt: '2026-11-28T11:00:00Z', endReason: 'recovered' } as const;
    const text = formatIncidents([incident, ended, { ...incident, subject: { kind: 'agent', name: evil } }], view);
    assertHarmless(text);
    assert.match(text, /recovered +shop front page/);
    assert.match(text, /agent web/);
  });

  test('drives no terminal', () => {
    const events = [{ at: incident.startedAt, kind: 'sent', detail: { notifier: evil, message: evil } }];
    assertHarmless(
      formatIncident({ ...incident, summary: evil, events, facts: [{ label: 'x', text: evil.repeat(20) }] }, view),
    );
  });
});

test('windows say what they are for and what ends them', () => {
  const window = { name: 'deploy (by Ana)', monitors: ['web*', evil], origin: 'api', matches: ['web 1'] };
  const times = { from: '2026-11-28T12:00:00Z', to: '2026-11-28T14:00:00Z' };
  const text = formatWindows([{ id: incident.id, open: true, ...window, ...times }], view);
  assertHarmless(text);
  assert.match(text, /open/);
  assert.match(text, /deploy \(by Ana\)/);
});

test('availability is never rounded up to all of the time', () => {
  const none = { degradedMs: 0, unknownMs: 0, maintenanceMs: 0 };
  const rows = [
    { monitor: 'always', available: 1, downMs: 0, ...none },
    { monitor: 'nearly', available: 0.999_999_9, downMs: 300, ...none },
    { monitor: evil, available: null, downMs: 0, ...none, maintenanceMs: 7_500_000, unknownMs: 86_400_000 },
  ];
  const text = formatAvailability(rows, view);
  assertHarmless(text);
  assert.match(text, /always +100 %/);
  assert.match(text, /nearly +99\.999 %/);
  assert.match(text, /unknown +1 d +2 h 5 min/);
});

test('lengths of time are told in their two largest units', () => {
  for (const [ms, text] of [
    [0, '0 s'],
    [999, '0 s'],
    [40_000, '40 s'],
    [60_000, '1 min'],
    [90_500, '1 min 30 s'],
    [7_500_000, '2 h 5 min'],
    [7_200_000, '2 h'],
    [90_000_000, '1 d 1 h'],
    [-5, '0 s'],
  ] as const)
    assert.equal(formatLength(ms), text);
});
