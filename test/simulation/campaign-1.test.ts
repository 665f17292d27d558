import { test } from 'node:test';
import { campaign } from './campaign.ts';

/** The other half of the seeds is in a file of its own, which runs beside this one. */
const seeds = Array.from({ length: 4 }, (_, index) => 2000 + 2 * index + 0);

test('four simulated hours bring no finding', async (t) => {
  await campaign(seeds, (text) => t.diagnostic(text));
});
