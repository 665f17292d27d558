import { defineCheck, type Measurement } from '../../core/check.ts';
import { dialOptionsOf } from '../../core/dial-options.ts';
import { Failure } from '../../core/failure.ts';
import { metricOf } from '../../core/metrics.ts';
import { endpointOfUrl } from '../../core/target.ts';
import { askRegistry } from './ask-registry.ts';
import { judgeRegistration } from './judge-registration.ts';
import { options } from './options.ts';
import type { Registration } from './registration.ts';
import { listedServer } from './servers.ts';

const dayMs = 86_400_000;

/** The registration of a domain, by RDAP (RFC 9082, 9083, 9224). WHOIS is not spoken. */
export const domain = defineCheck({
  type: 'domain',
  title: 'Domain',
  summary:
    'Asks the registry of a domain by RDAP when its registration expires, and for status, registrar, name servers.',
  options,
  metrics: [
    { name: 'resolveMs', unit: 'ms', meaning: 'looking the name of the RDAP server up' },
    metricOf.connect,
    metricOf.tls,
    metricOf.firstByte,
    metricOf.transfer,
    { name: 'domainDaysLeft', unit: 'days', meaning: 'until the registration expires' },
  ],
  defaultTimeoutMs: 20_000,
  asks: ['name'],
  targetSyntax: 'DOMAIN',
  fromTarget: (target) => ({ name: target }),
  targetOf: ({ name }) => name,
  destinationOf: ({ server, ...options }) =>
    server === undefined ? undefined : { ...endpointOfUrl(new URL(server)), ...dialOptionsOf(options) },
  async run(options, context, measurement) {
    const startedMs = context.clock.monotonic();
    const { name, server = await listedServer(name) } = options;
    const registration = await askRegistry(server, { ...context, options, measurement });
    measurement.latencyMs = context.clock.monotonic() - startedMs;
    if (!registration) {
      const hint = name.split('.').length > 2 ? ', or it is a host in one: give the registered domain' : '';
      throw new Failure('name-not-found', `${name} is not registered${hint}.`);
    }
    note(measurement, registration, context.clock.now());
    return judgeRegistration(registration, options, measurement);
  },
});

function note({ metrics, detail }: Measurement, registration: Registration, nowMs: number): void {
  const { statuses, registrar, nameservers, expiresMs, registeredMs, changedMs } = registration;
  Object.assign(detail, {
    ...(registrar !== undefined && { registrar }),
    statuses,
    nameservers,
    ...timeOf('expires', expiresMs),
    ...timeOf('registered', registeredMs),
    ...timeOf('changed', changedMs),
  });
  if (expiresMs !== undefined) metrics['domainDaysLeft'] = (expiresMs - nowMs) / dayMs;
}

function timeOf(name: string, timeMs: number | undefined): Readonly<Record<string, string>> {
  return timeMs === undefined ? {} : { [name]: new Date(timeMs).toISOString() };
}
