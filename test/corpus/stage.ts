import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCheckType } from '../../src/checks/registry.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Monitor, Result } from '../../src/core/monitor.ts';
import { createNetwork } from '../../src/net/network.ts';
import { Resolver } from '../../src/net/resolve.ts';
import { runMonitor } from '../../src/schedule/runner.ts';
import { testCertificates } from '../../src/testing/certificates.ts';
import type { CorpusCase } from './corpus-case.ts';
import { startServers, type CorpusServers, type ServerSetting } from './corpus-servers.ts';
import { fill, fillAll, namesCertificate, type Facts } from './placeholders.ts';

/** The servers of a case, at work. */
export interface Stage extends AsyncDisposable {
  readonly facts: Facts;
  readonly servers: CorpusServers;
  /** One run of the check as the case says. */
  run(): Promise<Result>;
}

/** Starts what a case needs. `ports` says where a server must listen, if not on any free port. */
export async function openStage(plan: CorpusCase, ports: ServerSetting['ports'] = {}): Promise<Stage> {
  const certificates = namesCertificate(plan) ? await testCertificates() : undefined;
  const servers = await startServers(plan.servers, { certificates, ports });
  const facts: Facts = { places: servers.places, certificates };
  return {
    facts,
    servers,
    run: () => run(plan, facts),
    [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
  };
}

async function run(plan: CorpusCase, facts: Facts): Promise<Result> {
  const check = findCheckType(plan.check);
  if (!check) throw new Error(`There is no check type ${plan.check}.`);
  const options = check.options.parse(fillAll(plan.options, facts));
  const target = check.targetOf(options);
  const timing = { intervalMs: 60_000, timeoutMs: plan.timeout };
  const monitor: Monitor = { id: 'm', name: 'm', type: plan.check, target, options, ...timing };
  using resolver = resolverOf(plan, facts);
  const net = createNetwork({ clock: systemClock, resolver: resolver.resolver });
  return await runMonitor(monitor, { clock: systemClock, net, controller: new AbortController() });
}

/** Names come from the case alone: no case asks a DNS server of this machine. */
function resolverOf({ names }: CorpusCase, facts: Facts): Disposable & { readonly resolver: Resolver } {
  const folder = mkdtempSync(join(tmpdir(), 'watchkeeper-corpus-'));
  const hostsPath = join(folder, 'hosts');
  const resolvConfPath = join(folder, 'resolv.conf');
  writeFileSync(hostsPath, fill(names.hosts, facts));
  writeFileSync(resolvConfPath, names.resolvConf);
  const servers = names.servers.map((name) => {
    const place = facts.places.get(name);
    if (!place) throw new Error(`names.servers: there is no server ${name}.`);
    return { address: { ip: place.host, family: place.host.includes(':') ? 6 : 4 }, port: place.port } as const;
  });
  return {
    resolver: new Resolver({ clock: systemClock, hostsPath, resolvConfPath, servers }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
