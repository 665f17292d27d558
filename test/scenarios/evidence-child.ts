// The evidence of one sensor in a process of its own, for tests that kill it. It says in a file what it offers the server
// (`begin CHAIN KEY`), what was handed to the spool (`spooled LINE`), and each head that a heartbeat might tell (`head N HASH`);
// and `opened` on its output when it has begun, `recorded` when its first line is safe.
import { openSync, writeSync } from 'node:fs';
import { systemClock as clock } from '../../src/core/clock.ts';
import type { RecordItem } from '../../src/core/entry.ts';
import { EvidenceChain } from '../../src/agent/evidence/evidence-chain.ts';
import { EvidenceFolder } from '../../src/agent/evidence/evidence-disk.ts';
import { lineText } from '../../src/records/record-line.ts';

const [folder = '', said = ''] = process.argv.slice(2);
const file = openSync(said, 'a');
const chain = await EvidenceChain.open({
  sensor: 'usb',
  disk: new EvidenceFolder(folder),
  spool: { append: (item) => Promise.resolve(say(`spooled ${(item as RecordItem).line}`)) },
  clock,
  stamp: (record) => ({ ...record, sensor: 'usb', at: clock.now(), monotonicMs: clock.monotonic(), boot: 'boot' }),
  textOf: lineText,
  onFault: (text) => void say(`fault ${text}`),
});
const { announcement } = chain;
if (announcement) {
  say(`begin ${announcement.chain} ${announcement.key}`);
  await chain.announced();
}
process.stdout.write('opened\n');
const before = chain.head?.n ?? 0;
let hasRecorded = false;
for (let turn = 0; ; turn++) {
  chain.record({ event: 'lost', message: 'x'.repeat(turn % 300) });
  if (turn % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  if (chain.head) say(`head ${chain.head.n} ${chain.head.head}`);
  if (hasRecorded || (chain.head?.n ?? 0) === before) continue;
  hasRecorded = true;
  process.stdout.write('recorded\n');
}

/** A kill cannot take back what the kernel has; a pipe that is full would leave it here. */
function say(line: string): number {
  return writeSync(file, `${line}\n`);
}
