// node scripts/compare-alerts.ts [CONTENDER [OUTAGE-NUMBER …]]: the same outages before Debian's Prometheus with Alertmanager and before us,
// and what people were told of them. Needs root and the Debian packages prometheus, prometheus-alertmanager,
// prometheus-blackbox-exporter and dnsmasq-base; takes a quarter of an hour a contender.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Prometheus, readAlertmanager, type Parts } from '../bench/alerts/alertmanager.ts';
import { judge, table, type Figures } from '../bench/alerts/judge.ts';
import { outages, play, type Contender, type Outage } from '../bench/alerts/outages.ts';
import { Resolver } from '../bench/alerts/resolver.ts';
import { readWatchkeeper, WatchkeeperSide } from '../bench/alerts/watchkeeper.ts';
import { Provider, Targets } from '../bench/alerts/stage.ts';

interface Side {
  start(parts: Parts): Promise<Contender & AsyncDisposable>;
  readonly read: Parameters<typeof Provider.open>[0];
}

const sides: Readonly<Record<string, Side>> = {
  watchkeeper: { start: (parts) => WatchkeeperSide.start(parts), read: readWatchkeeper },
  prometheus: { start: (parts) => Prometheus.start(parts), read: readAlertmanager },
};

async function playOne(side: Side, outage: Outage): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-alerts-'));
  try {
    await using resolver = outage.byName ? await Resolver.open(folder) : undefined;
    await using targets = await Targets.open();
    await using provider = await Provider.open(side.read);
    const parts = { folder, hook: provider.url, targetPort: targets.port, resolver };
    await using contender = await side.start(parts);
    await play(outage, { targets, provider, contender });
    return judge(outage, provider);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

const [wanted, ...numbers] = process.argv.slice(2);
for (const [name, side] of Object.entries(sides)) {
  if (wanted !== undefined && wanted !== name) continue;
  const chosen = numbers.length === 0 ? outages : numbers.flatMap((number) => outages[Number(number) - 1] ?? []);
  const figures: Figures[] = [];
  for (const outage of chosen) {
    figures.push(await playOne(side, outage));
    console.error(`${name}: ${JSON.stringify(figures.at(-1))}`);
  }
  console.log(`\n${name}\n\n${table(figures)}`);
}
