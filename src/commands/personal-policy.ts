import { AddressRules } from '../net/dial/address-rules.ts';
import { EgressPolicy } from '../net/dial/egress.ts';

/** A person who names a proxy trusts it. */
const everyAddress = ['0.0.0.0/0', '::/0'];

/** What a person may reach from a terminal. @throws {AppError} invalid-config, naming the range that is none */
export function personalPolicy(allow: readonly string[] = []): EgressPolicy {
  // Here a mistake in a range is one of the option.
  void new AddressRules(allow, '--allow');
  return new EgressPolicy({ allow, proxies: everyAddress, refusal });
}

function refusal(target: string, ip: string): string {
  const why = 'link-local, metadata of a cloud, multicast or reserved';
  return `${target} is denied by default (${why}). To allow it, add --allow ${ip.replace(/%.*/, '')}`;
}
