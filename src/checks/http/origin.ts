import type { Endpoint } from '../../core/network.ts';

/** Where a URL's server listens. */
export function endpointOf({ hostname, port, protocol }: URL): Endpoint {
  // The URL keeps an IPv6 address in brackets, and leaves the scheme's own port out.
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return { host, port: Number(port || (protocol === 'https:' ? 443 : 80)) };
}
