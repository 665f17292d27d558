import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerName } from '../../core/record.ts';
import { fakeGateway } from '../../testing/fake-network.ts';
import { clientHello, tcpSegment, TrafficStand } from '../../testing/traffic-stand.ts';

const bank = '203.0.113.5';

/** What a record says of the names of a peer with which something was exchanged. */
async function namesOf(stand: TrafficStand, address = bank): Promise<readonly PeerName[] | undefined> {
  stand.receive(address);
  await stand.step();
  return stand.takeRecord().peers.find((peer) => peer.address === address)?.names;
}

const answered = [{ name: 'www.example.org', source: `dns ${fakeGateway}` }];

test('SG3: a name comes from the answer to a question of this machine, and says from whom', async () => {
  const stand = new TrafficStand();
  stand.resolve('www.example.org', bank);
  assert.deepEqual(await namesOf(stand), answered);
});

const forgeries: readonly (readonly [string, (stand: TrafficStand) => void])[] = [
  ['that nobody asked for', (stand) => stand.answer('evil.example', bank)],
  [
    'with another number',
    (stand) => {
      stand.ask('evil.example', { id: 1 });
      stand.answer('evil.example', bank, { id: 2 });
    },
  ],
  [
    'to another port',
    (stand) => {
      stand.ask('evil.example', { port: 40_053 });
      stand.answer('evil.example', bank, { port: 40_054 });
    },
  ],
  [
    'to another question',
    (stand) => {
      stand.ask('www.example.org');
      stand.answer('evil.example', bank);
    },
  ],
  [
    'of a server that was not asked',
    (stand) => {
      stand.ask('evil.example');
      stand.answer('evil.example', bank, { server: '192.168.0.66' });
    },
  ],
  [
    'of a server that is asked and not configured',
    (stand) => {
      stand.ask('evil.example', { server: '192.168.0.66' });
      stand.answer('evil.example', bank, { server: '192.168.0.66' });
    },
  ],
  ['by multicast DNS', (stand) => stand.announce('192.168.0.17', 'evil.local', bank)],
];

for (const [what, forge] of forgeries)
  test(`SG3: an answer ${what} names nobody`, async () => {
    const stand = new TrafficStand();
    forge(stand);
    assert.equal(await namesOf(stand), undefined);
  });

test('SG3: the second answer to one question, and one that comes late, name nobody', async () => {
  const stand = new TrafficStand();
  stand.resolve('www.example.org', bank);
  stand.answer('www.example.org', '203.0.113.6');
  assert.equal(await namesOf(stand, '203.0.113.6'), undefined);
  stand.ask('late.example', { id: 7 });
  await stand.clock.advance(16_000);
  stand.answer('late.example', '203.0.113.7', { id: 7 });
  assert.equal(await namesOf(stand, '203.0.113.7'), undefined);
  assert.deepEqual(await namesOf(stand), answered);
});

test('SG3: a flood of answers that nobody asked for hides no answer that somebody did', async () => {
  const stand = new TrafficStand();
  stand.ask('www.example.org');
  for (let id = 2; id < 3000; id++) stand.answer('evil.example', bank, { id });
  stand.answer('www.example.org', bank);
  assert.deepEqual(await namesOf(stand), answered);
});

test('SG3: a host on the link may name itself, in .local, and no other', async () => {
  const stand = new TrafficStand();
  stand.receive('192.168.0.17');
  stand.announce('192.168.0.17', 'seat-17.local');
  assert.deepEqual(await namesOf(stand, '192.168.0.17'), [{ name: 'seat-17.local', source: 'mdns' }]);
  stand.receive('192.168.0.18');
  stand.announce('192.168.0.18', 'www.bank.example');
  assert.equal(await namesOf(stand, '192.168.0.18'), undefined);
  stand.receive('10.9.9.9');
  stand.announce('10.9.9.9', 'far.local');
  assert.equal(await namesOf(stand, '10.9.9.9'), undefined);
});

test('SG3: a greeting is the client’s own word: beside the answer, and never an alarm more or less', async () => {
  const stand = new TrafficStand({ forbid: [bank] });
  stand.send(bank, { protocol: 6, payload: tcpSegment(443, clientHello('www.innocent.example')) });
  assert.partialDeepStrictEqual(stand.told, [{ event: 'forbidden-peer', peer: bank }]);
  stand.resolve('www.example.org', bank);
  assert.deepEqual(await namesOf(stand), [...answered, { name: 'www.innocent.example', source: 'sni' }]);
});

test('SG13: a bystander, who only announced itself, is in the record without a name', async () => {
  const stand = new TrafficStand();
  stand.announce('192.168.0.17', 'annes-laptop.local');
  await stand.step();
  const record = stand.takeRecord();
  assert.partialDeepStrictEqual(record.peers, [{ address: '192.168.0.17', isAnnouncer: true }]);
  assert.doesNotMatch(JSON.stringify([record, stand.told]), /anne/);
  // Nor later, when the name has been forgotten.
  await stand.step(31);
  assert.equal(await namesOf(stand, '192.168.0.17'), undefined);
});
