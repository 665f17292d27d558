import { isIPv4 } from 'node:net';
import { ipv6 } from '../packets/dns/fields.ts';
import { DnsWriter } from '../packets/dns/writer.ts';

/** The name under which an address has its PTR record (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(ip: string): string {
  if (isIPv4(ip)) return `${ip.split('.').toReversed().join('.')}.in-addr.arpa`;
  const writer = new DnsWriter();
  ipv6.write(writer, ip.replace(/%.*/, ''));
  return `${Array.from(writer.finish().toString('hex')).toReversed().join('.')}.ip6.arpa`;
}
