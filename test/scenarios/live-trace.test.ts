import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { labAddresses, labMissing, openNetLab, type NetLab } from '../../src/testing/netlab.ts';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';
import { missing } from '../peers/daemon.ts';
import { executable, Terminal } from './terminal.ts';

const { hops, server } = labAddresses[4];
const skip = labMissing || missing('ip', 'nft', 'mtr', 'tmux');

/** The hops of a table by mtr or by us: host, and the loss at the beginning of the figures. */
function rowsOf(screen: string): string[] {
  return [...screen.matchAll(/^ *\d+\.(?:\|--)? *(\S+) +([\d.]+)%/gm)].map(
    ([, host, loss]) => `${host} ${Number(loss)}`,
  );
}

describe('check traceroute --live', { skip }, () => {
  let lab: NetLab;
  before(async () => void (lab = await openNetLab()));
  after(() => lab[Symbol.asyncDispose]());

  const inLab = (words: string): string => `ip netns exec ${lab.client.namespace} ${executable} ${words}`;

  test('CH4: shows the hops that mtr shows, fits 80 columns, and takes the keys p, r and q', async () => {
    await lab.nearRouter.filter('ip saddr 10.90.2.2 icmp type time-exceeded drop');
    const report = await lab.client.run('mtr', '-n', '-r', '-c', '3', server);
    using terminal = new Terminal(inLab(`check traceroute ${server} --live --interval 300ms --wait 200ms`), {
      columns: 80,
    });
    const screen = await terminal.until(/^ 3\. 10\.90\.3\.2 +0\.0% +[3-9] /m);
    await lab.nearRouter.filter();
    for (const line of screen.split('\n')) assert.ok(line.length <= 80, line);
    assert.match(screen, /Host +Loss% +Snt +Last +Avg +Best +Wrst +StDev$/m);
    assert.match(screen, /^ 2\. \(no answer yet\) +100\.0%/m);
    assert.deepEqual(
      rowsOf(screen).filter((row) => row.startsWith('10.')),
      rowsOf(report).filter((row) => row.startsWith('10.')),
    );
    terminal.press('p');
    await terminal.until(/^Paused: /m);
    terminal.press('r');
    await terminal.until(/StDev\s*$/);
    terminal.press('p');
    await terminal.until(/^ 2\. 10\.90\.2\.2 [^]*^ 3\. 10\.90\.3\.2 /m);
    terminal.press('q');
    const end = await terminal.until(/exit=0/);
    // The terminal is as it was, with the table and the verdict below.
    assert.match(end, /^✔ up .*10\.90\.3\.2 answers at hop 3: /m);
    assert.deepEqual(
      rowsOf(end).map((row) => row.split(' ')[0]),
      [...hops],
    );
  });

  test('CH4: ends after the rounds that --count gives, and a silent target is down', async () => {
    const words = `check traceroute ${labAddresses[4].blackHole} --live --count 2 --interval 100ms --wait 200ms`;
    using terminal = new Terminal(inLab(words));
    const end = await terminal.until(/exit=2/);
    assert.match(end, /^✘ down .*did not answer/m);
  });

  test('CH4: stopped before the target had its time to answer, it accuses nobody: unknown, exit 3', async () => {
    using terminal = new Terminal(inLab(`check traceroute ${labAddresses[4].blackHole} --live --wait 30s`));
    await terminal.until(/^ 1\. 10\.90\.1\.2 /m);
    terminal.press('q');
    await terminal.until(/\? unknown[^]*exit=3/);
  });

  test('CH4: without a route it says so: unknown, exit 3', async () => {
    using terminal = new Terminal(`unshare -n ${executable} check traceroute 192.0.2.1 --live --count 1`);
    await terminal.until(/\? unknown[^]*exit=3/);
  });

  test('CH4: without a terminal, or with --json, it is misuse', async () => {
    for (const words of [['--live'], ['--live', '--json']]) {
      const { code, stderr } = await runWatchkeeper(['check', 'traceroute', '127.0.0.1', ...words]);
      assert.equal(code, 3);
      assert.match(stderr, /--live/);
    }
  });
});
