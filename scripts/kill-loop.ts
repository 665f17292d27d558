// Ends agents and their server by kill -9 at random moments, each as often as the argument says (1000 unless given), and
// proves by the agents' own numbers, the store and an independent target that nothing was lost and nothing doubled.
import { countOf } from '../src/core/ranges.ts';
import { accountsOf, assertSound, type Account } from '../src/testing/fleet-account.ts';
import { Fleet } from '../src/testing/fleet.ts';
import type { Program } from '../src/testing/program.ts';

const kills = Number(process.argv[2] ?? 1000);
const plan = { agents: 4, monitorsPerAgent: 25 };
/** A life may end before its start is over, and in or after the reconnect, which takes up to five seconds. */
const longestLifeMs = 6000;
const killsPerProof = 100;

const startedAt = performance.now();
await using fleet = await Fleet.open(plan);
const killed = new Map<string, number>();
let proofs = 0;

for (let left = kills; left > 0; left -= killsPerProof) {
  const round = Math.min(left, killsPerProof);
  const share = round / fleet.agents.length;
  await Promise.all([
    killAtRandom(fleet.server, round, longestLifeMs),
    ...fleet.agents.map(({ name, program }, index) => {
      const times = Math.ceil(share * (index + 1)) - Math.ceil(share * index);
      killed.set(name, (killed.get(name) ?? 0) + times);
      return killAtRandom(program, times, longestLifeMs * fleet.agents.length);
    }),
  ]);
  await fleet.settle();
  proofs++;
  const accounts = await accountsOf(fleet);
  // A run that ends with its process, or with its schedule at each proof, was seen by the oracle and is in no result.
  assertSound(accounts, (agent) => (killed.get(agent) ?? 0) + proofs);
  console.log(sentenceOf(accounts, kills - left + round));
  fleet.resume();
}

async function killAtRandom(program: Program, times: number, longestMs: number): Promise<void> {
  for (let kill = 0; kill < times; kill++) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * longestMs));
    await program.kill();
    program.start();
  }
}

function sentenceOf(accounts: readonly Account[], done: number): string {
  const sum = (figure: (account: Account) => number): number =>
    accounts.reduce((total, account) => total + figure(account), 0);
  const lost = sum((account) => countOf(account.lost));
  const figures = `${sum(({ recorded }) => recorded)} recorded, ${lost} lost, ${sum(({ doubled }) => doubled)} doubled`;
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  return `${done} kills of agents and ${done} of the server in ${seconds} s: ${figures}.`;
}
