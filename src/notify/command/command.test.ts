import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import type { Message } from '../../core/message.ts';
import { testContext } from '../../testing/context.ts';
import { eventually } from '../../testing/eventually.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { problem } from '../../testing/messages.ts';
import { hostileTexts } from '../notifier.contract.ts';
import { sendMessage } from '../send.ts';
import { command } from './command.ts';

const { net } = testContext();

async function run(argv: readonly string[], message: Message = problem(), clock = systemClock) {
  const channel = { type: command, options: command.options.parse({ command: argv }), secrets: [], zone: 'UTC' };
  return await sendMessage(channel, { message, signal: AbortSignal.timeout(30_000) }, { net, clock });
}

test('the message comes as JSON on standard input, and in the environment', async () => {
  const result = await run(['/bin/sh', '-c', 'echo "$WK_KIND $WK_STATE $WK_SEVERITY"; head -c 60']);
  assert.equal(result.outcome, 'delivered');
  assert.match(result.text ?? '', /problem down critical\\n\{\\"id\\":\\"wk-019a1f2e/);
});

for (const [code, outcome] of [
  [0, 'delivered'],
  [75, 'retry'],
  [1, 'refused'],
  [127, 'refused'],
] as const)
  test(`exit code ${code} is ${outcome}`, async () => {
    assert.equal((await run(['/bin/sh', '-c', `exit ${code}`])).outcome, outcome);
  });

test('a program that is not there breaks the notifier', async () => {
  const result = await run(['/nowhere/tell']);
  assert.equal(result.outcome, 'broken');
  assert.match(result.text ?? '', /did not start/);
});

test('a program that does not read is no error', async () => {
  assert.equal((await run(['/bin/true'])).outcome, 'delivered');
});

test('a program is killed after 20 s with all it has started', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'command-'));
  const pidFile = join(folder, 'pid');
  try {
    const clock = new FakeClock();
    const running = run(
      ['/bin/sh', '-c', `sleep 1000 & echo $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; wait`],
      problem(),
      clock,
    );
    const pid = await eventually('the child runs', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8').trim());
    await clock.advance(20_000);
    assert.equal((await running).outcome, 'retry');
    await eventually('the child is dead', () => !isRunning(Number(pid)));
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

/** A killed process may wait as a zombie until its parent reads its end. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('only the program of the options runs, whatever a message says', async () => {
  const texts = [...hostileTexts, '$(touch /tmp/x)', '`touch /tmp/x`', '; touch /tmp/x', '--flag', '\0'];
  for (const text of texts) {
    const message = problem({ subject: text, headline: text, facts: [{ label: text, text }] });
    const result = await run(
      ['/bin/sh', '-c', 'test $# -eq 0 && cat > /dev/null && printf "%s" "$WK_SUBJECT" | wc -l'],
      message,
    );
    assert.equal(result.outcome, 'delivered', text);
    assert.match(result.text ?? '', /exit code 0: "0"/);
  }
});

test('a program that writes without end is cut', async () => {
  const result = await run(['/bin/sh', '-c', 'head -c 30000000 /dev/zero']);
  assert.ok((result.text ?? '').length < 3000);
});

for (const wrong of [[], ['tell'], ['./tell'], ['/bin/echo', 'a\0b']])
  test(`${JSON.stringify(wrong)} is no command`, () =>
    assert.ok(!command.options.safeParse({ command: wrong }).success));
