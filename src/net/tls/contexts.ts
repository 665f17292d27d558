import { createSecureContext, DEFAULT_CIPHERS, type SecureContext, type SecureContextOptions } from 'node:tls';
import { BoundedMap } from '../../core/bounded-map.ts';
import { Failure } from '../../core/failure.ts';
import type { TlsOptions } from '../../core/network.ts';
import { groupList, type KeyShares } from './groups.ts';
import { ServerChains } from './server-chain.ts';
import { TrustedCertificates } from './trusted.ts';

export interface TlsContext {
  /** The same for the same options. */
  readonly id: string;
  readonly secureContext: SecureContext;
  readonly chains: ServerChains;
}

/** Node's, the cheapest first: most servers let the client choose, and the secrecy of AES-128 is enough for a check. */
const cheapest = 'TLS_AES_128_GCM_SHA256';
const ciphers = [cheapest, ...DEFAULT_CIPHERS.split(':').filter((name) => name !== cheapest)].join(':');

const contexts = new BoundedMap<string, TlsContext>(1000);

/** One context per option set: making one parses every trusted root, which costs more than a handshake. */
export function contextFor(options: TlsOptions, shares: KeyShares): TlsContext {
  const { minVersion, ca, certificate, key } = options;
  const id = `${optionSetOf(options)} ${shares}`;
  const known = contexts.get(id);
  if (known) return known;
  // A server's own certificate, or an intermediate, may be trusted without the root that it hangs on.
  const trust = { ca, allowPartialTrustChain: true };
  const offered = { minVersion, ciphers, ecdhCurve: groupList(shares) };
  const secureContext = createContext({ ...offered, cert: certificate, key, ...trust });
  const chains = ca === undefined ? ServerChains.usual : new ServerChains(TrustedCertificates.of(ca));
  const context = { id, secureContext, chains };
  contexts.set(id, context);
  return context;
}

const numbers = new BoundedMap<string, number>(1000);
let lastNumber = 0;

/** The same for options that take the same context. Texts have numbers: to write half a megabyte at each handshake takes time. */
export function optionSetOf({ minVersion, ca = '', certificate = '', key = '' }: TlsOptions): string {
  return [minVersion, ...[ca, certificate, key].map(numberOf)].join(' ');
}

function numberOf(text: string): number {
  const known = numbers.get(text);
  if (known !== undefined) return known;
  numbers.set(text, ++lastNumber);
  return lastNumber;
}

/** Good PEM texts that do not fit, by the end of OpenSSL's code. */
const misfits: readonly (readonly [pattern: RegExp, meaning: string])[] = [
  [/KEY_VALUES_MISMATCH$|KEY_TYPE_MISMATCH$/, 'tls.key is not the key of tls.certificate'],
  [/KEY_TOO_SMALL$|MD_TOO_WEAK$/, 'the key or the signature of tls.certificate is too weak'],
];

function createContext(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    const { code = 'no code' } = error as NodeJS.ErrnoException;
    const [, meaning] = misfits.find(([pattern]) => pattern.test(code)) ?? [code, 'they do not fit together'];
    throw new Failure('unsupported', `The certificates in these options cannot be used: ${meaning} (${code}).`, {
      cause: error,
    });
  }
}
