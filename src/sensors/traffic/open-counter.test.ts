import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labMissing } from '../../testing/netlab.ts';
import { openPeerLab, type PeerLab } from '../../testing/peer-lab.ts';

const script = `
  import { openPeerCounter } from '${import.meta.dirname}/open-counter.ts';
  const { state, message, counter } = openPeerCounter({ onPacket() {} });
  console.log(JSON.stringify({ state, message, backend: counter?.backend }));
  counter?.[Symbol.dispose]();
`;

/** What a counter says of itself, opened on a machine as user 65534 with these capabilities and no others. */
async function openedWith(lab: PeerLab, capabilities: string): Promise<Record<string, string>> {
  const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
  const rights = ['--inh-caps', capabilities, '--ambient-caps', capabilities, '--bounding-set', capabilities];
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  return JSON.parse(await lab.watched.run('setpriv', ...user, ...rights, ...node)) as Record<string, string>;
}

test('the kernel counts for a user with CAP_NET_RAW and CAP_BPF and nothing else', { skip: labMissing }, async () => {
  await using lab = await openPeerLab();
  const { state, backend } = await openedWith(lab, '-all,+net_raw,+bpf');
  assert.deepEqual([state, backend], ['running', 'ebpf']);
});

test('without CAP_BPF a ring counts, and what is missing and what it costs is said', { skip: labMissing }, async () => {
  await using lab = await openPeerLab();
  const { state, backend, message = '' } = await openedWith(lab, '-all,+net_raw');
  assert.deepEqual([state, backend], ['limited', 'ring']);
  assert.match(message, /^ring: .* of a core .* too low .*bpf: EPERM.* CAP_BPF/);
  assert.ok(message.length <= 300, 'it fits a record');
});

test('without any capability nothing is counted, and what to do is said', { skip: labMissing }, async () => {
  await using lab = await openPeerLab();
  const { state, backend, message = '' } = await openedWith(lab, '-all');
  assert.deepEqual([state, backend], ['unavailable', undefined]);
  assert.match(message, /socket: EPERM.* Give the agent CAP_NET_RAW/);
});
