import { Failure } from '../../core/failure.ts';

/** A bootstrap file as IANA publishes it (RFC 9224 section 3). */
interface Bootstrap {
  readonly publication: string;
  readonly services: readonly (readonly (readonly string[])[])[];
}

let listed: ReadonlyMap<string, string> | undefined;

/** The RDAP server of a domain, by the file beside this one. @throws {Failure} unsupported, if IANA lists none */
export async function listedServer(name: string): Promise<string> {
  const { default: bootstrap } = await import('./rdap-servers.json', { with: { type: 'json' } });
  listed ??= serversOf(bootstrap);
  const server = serverFor(name, listed);
  if (server !== undefined) return server;
  const list = `the list of ${bootstrap.publication.slice(0, 10)}`;
  const domain = name.slice(name.lastIndexOf('.'));
  throw new Failure('unsupported', `No RDAP server for ${domain} stands in ${list}; give its URL as server.`);
}

/** Servers by the domain that they answer for; of several the first by https. */
export function serversOf({ services }: Bootstrap): ReadonlyMap<string, string> {
  return new Map(
    services.flatMap(([domains = [], urls = []]) => {
      const url = urls.find((url) => url.startsWith('https:')) ?? urls[0];
      return url === undefined ? [] : domains.map((domain) => [domain.toLowerCase(), url] as const);
    }),
  );
}

/** The entry with the most labels of the name counts (RFC 9224 section 4). */
export function serverFor(name: string, servers: ReadonlyMap<string, string>): string | undefined {
  const labels = name.split('.');
  for (let first = 0; first < labels.length; first++) {
    const server = servers.get(labels.slice(first).join('.'));
    if (server !== undefined) return server;
  }
  return undefined;
}
