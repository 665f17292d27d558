// npm run compare: gives the same inputs to curl, dig, openssl, ntpdate, ping, traceroute and to Watchkeeper, side by side, and writes
// docs/comparison.md. Needs root for its own networks, and Debian's curl, bind9-dnsutils, openssl, ntpsec-ntpdate, iputils-ping and
// traceroute. Ends with 1 where the verdicts differ and no reason is given below.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { findCheckType } from '../src/checks/registry.ts';
import type { Outcome } from '../src/core/outcome.ts';
import { testContext } from '../src/testing/context.ts';
import { enterOwnNetwork, labAddresses, openNetLab } from '../src/testing/netlab.ts';
import { parseCase } from '../test/corpus/corpus-case.ts';
import { openStage } from '../test/corpus/stage.ts';
import { differences, inputs } from './comparison-inputs.ts';
import { askPeer, runPeer, type PeerVerdict } from './peer-commands.ts';

const root = resolve(import.meta.dirname, '..');
const file = resolve(root, 'docs/comparison.md');
const ntpPort = 123;

interface Row {
  readonly name: string;
  readonly input: string;
  readonly peer: PeerVerdict;
  readonly ours: Pick<Outcome, 'status' | 'reason'>;
}

const rows = [...(await acrossRouters()), ...(await onLoopback())];
writeFileSync(file, document(rows));
const unexplained = rows.filter((row) => !isSame(row) && differences[row.name] === undefined);
for (const { name, peer, ours } of unexplained)
  console.error(`${name}: ${peer.command} says ${peer.said}, Watchkeeper ${ours.status} ${ours.reason ?? ''}`);
console.log(`${rows.length} inputs, ${rows.filter(isSame).length} with the same verdict.`);
process.exitCode = unexplained.length > 0 ? 1 : 0;

/** Cases of the corpus; in a network of our own, where port 123 is free. */
async function onLoopback(): Promise<readonly Row[]> {
  const missing = await enterOwnNetwork();
  if (missing) throw new Error(missing);
  const made: Row[] = [];
  for (const name of inputs) {
    const plan = parseCase(readFileSync(resolve(root, 'test/corpus', name, 'case.yaml'), 'utf8'), name);
    const ports = plan.check === 'ntp' ? { clock: ntpPort } : {};
    const peer = await (async () => {
      await using stage = await openStage(plan, ports);
      return await askPeer(plan, stage.facts);
    })();
    await using stage = await openStage(plan, ports);
    made.push({ name, input: plan.about, peer, ours: await stage.run() });
  }
  return made;
}

/** Four hosts in a row, seen from the first. */
async function acrossRouters(): Promise<readonly Row[]> {
  await using lab = await openNetLab();
  const { server, unreachable, prohibited, blackHole } = labAddresses[4];
  const hosts = {
    'a host two routers away': server,
    'a host that is not there': unreachable,
    'a host behind a filter that says so': prohibited,
    'a host that swallows everything': blackHole,
  };
  const made: Row[] = [];
  for (const [what, host] of Object.entries(hosts)) {
    using _client = lab.client.enter();
    const ping = ['-n', '-c', '2', '-i', '0.2', '-W', '1', host];
    made.push({
      name: `icmp ${host}`,
      input: `Ping ${what}`,
      peer: await runPeer({ program: 'ping', args: ping, judge: judgePing }),
      ours: await check('icmp', { host, count: 2, interval: '200ms', wait: '1s' }),
    });
    const traceroute = ['-n', '-q', '1', '-w', '1', '-m', '6', '-I', host];
    made.push({
      name: `traceroute ${host}`,
      input: `Trace the way to ${what}`,
      peer: await runPeer({ program: 'traceroute', args: traceroute, judge: (ran) => judgeTraceroute(ran, host) }),
      ours: await check('traceroute', { host, maxHops: 6, queries: 1, wait: '1s' }),
    });
  }
  return made;
}

async function check(type: string, options: object): Promise<Outcome> {
  const found = findCheckType(type);
  if (!found) throw new Error(`There is no check type ${type}.`);
  return await found.run(found.options.parse(options), testContext({ signal: AbortSignal.timeout(30_000) }));
}

function judgePing({ code, output }: { code: number; output: string }): Omit<PeerVerdict, 'command'> {
  const loss = /(\d+)% packet loss/.exec(output)?.[1];
  const error = /From \S+ icmp_seq=\d+ (.*)/.exec(output)?.[1];
  return { good: code === 0, said: `${loss}% loss${error === undefined ? '' : `, ${error}`}` };
}

function judgeTraceroute({ output }: { output: string }, host: string): Omit<PeerVerdict, 'command'> {
  const hops = output
    .split('\n')
    .slice(1)
    .filter((line) => line.trim() !== '');
  const last = hops.findLast((line) => !/\*\s*$/.test(line)) ?? '';
  const mark = /![A-Z]+/.exec(last)?.[0];
  const reached = last.includes(host) && mark === undefined;
  return {
    good: reached,
    said: reached ? `reached at hop ${Number.parseInt(last, 10)}` : `not reached${mark ? `, ${mark}` : ''}`,
  };
}

function isSame({ peer, ours }: Row): boolean {
  return peer.good === (ours.status === 'up' || ours.status === 'degraded');
}

function document(all: readonly Row[]): string {
  const table = all.map((row) => {
    const { name, input, peer, ours } = row;
    const verdict = ours.reason === undefined ? ours.status : `${ours.status}, ${ours.reason}`;
    const note = differences[name] ?? '';
    return line([
      input,
      `\`${peer.command}\``,
      peer.said,
      verdict,
      isSame(row) ? (note === '' ? 'same' : `same; ${note}`) : `other: ${note}`,
    ]);
  });
  return `# Verdicts beside those of other programs

Made by \`npm run compare\`, which gives each input to the program that people would use and to Watchkeeper, side by side, on
loopback or across routers in network namespaces. Inputs are cases of \`test/corpus\`, where each says why its value is right.

${line(['input', 'program', 'it says', 'Watchkeeper', 'same?'])}
|---|---|---|---|---|
${table.join('\n')}
`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}
