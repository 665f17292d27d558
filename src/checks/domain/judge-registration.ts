import type { Measurement } from '../../core/check.ts';
import { Failure } from '../../core/failure.ts';
import { assertFast, limitReached, type Severity } from '../../core/limits.ts';
import { Oddities } from '../../core/oddities.ts';
import { up, type Outcome } from '../../core/outcome.ts';
import { quoted } from '../../core/quoted.ts';
import type { DomainOptions } from './options.ts';
import type { Registration } from './registration.ts';

/** Compares a registration with what is expected, the gravest mismatch first. @throws {Failure} assertion, threshold, protocol, unsupported */
export function judgeRegistration(
  registration: Registration,
  options: DomainOptions,
  measurement: Measurement,
): Outcome {
  const { down, degraded } = options;
  assertStatuses(registration, options);
  assertDaysLeft(options, measurement, { status: 'down', days: down.days });
  assertRegistrar(registration, options);
  assertNameservers(registration, options);
  new Oddities(measurement).assertNone(options);
  assertDaysLeft(options, measurement, { status: 'degraded', days: degraded.days });
  assertFast('The answer', measurement.latencyMs ?? 0, options);
  const by = registration.registrar === undefined ? '' : `, by ${quoted(registration.registrar)}`;
  return up(`${termOf(options, measurement)}${by}.`, measurement);
}

function assertStatuses({ statuses }: Registration, { name, down, expect }: DomainOptions): void {
  const bad = statuses.filter((status) => down.statuses.includes(status));
  if (bad.length > 0) throw new Failure('assertion', `${name} has the status ${bad.join(', ')}.`);
  const missing = expect.statuses.filter((status) => !statuses.includes(status));
  if (missing.length === 0) return;
  const got = statuses.length === 0 ? 'none' : statuses.join(', ').slice(0, 300);
  throw new Failure('assertion', `Expected the status ${missing.join(', ')} of ${name}, got ${got}.`);
}

function assertRegistrar({ registrar }: Registration, { name, expect }: DomainOptions): void {
  if (expect.registrar === undefined || registrar?.includes(expect.registrar)) return;
  const got = registrar === undefined ? 'none' : quoted(registrar);
  throw new Failure('assertion', `Expected a registrar of ${name} with ${quoted(expect.registrar)}, got ${got}.`);
}

function assertNameservers({ nameservers }: Registration, { name, expect }: DomainOptions): void {
  if (expect.nameservers.length === 0) return;
  const [wanted, got] = [expect.nameservers, nameservers].map((names) => names.toSorted().join(', '));
  if (wanted === got) return;
  throw new Failure('assertion', `Expected the name servers ${wanted} of ${name}, got ${got || 'none'}.`);
}

interface Limit {
  readonly status: Severity;
  readonly days: number;
}

function assertDaysLeft(options: DomainOptions, measurement: Measurement, { status, days }: Limit): void {
  if (days === 0) return;
  const { name } = options;
  const { domainDaysLeft } = measurement.metrics;
  if (domainDaysLeft === undefined)
    throw new Failure(
      'unsupported',
      `The registry does not tell when ${name} expires; degraded.days and down.days of 0 ask for the rest alone.`,
      { as: { status: 'unknown', source: 'resolver' } },
    );
  if (domainDaysLeft > days) return;
  throw limitReached(termOf(options, measurement), { status, limit: `${days} days` });
}

/** `example.org is registered until 2027-08-13, 258.2 days left`. */
function termOf({ name }: DomainOptions, { metrics, detail }: Measurement): string {
  const { domainDaysLeft } = metrics;
  if (domainDaysLeft === undefined) return `${name} is registered`;
  // Written beside the metric.
  const day = (detail['expires'] as string).slice(0, 10);
  if (domainDaysLeft < 0) return `The registration of ${name} expired on ${day}`;
  return `${name} is registered until ${day}, ${domainDaysLeft.toFixed(1)} days left`;
}
