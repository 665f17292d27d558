import type { TestCertificates } from '../../src/testing/certificates.ts';

/** Where a server of a case listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** What `${…}` in a case can stand for. */
export interface Facts {
  readonly places: ReadonlyMap<string, Place>;
  readonly certificates?: TestCertificates | undefined;
}

const placeholder = /\$\{([^}]*)\}/g;

/** Fills `${web}` (host:port), `${web.host}`, `${web.port}`, `${pem.ca}`, `${key.client}`. @throws {Error} for any other */
export function fill(text: string, facts: Facts): string {
  return text.replaceAll(placeholder, (whole, name: string) => valueOf(name, facts) ?? fail(whole));
}

/** A regular expression over lines, in which a placeholder stands for its text. */
export function fillPattern(source: string, facts: Facts): RegExp {
  const filled = source.replaceAll(placeholder, (whole, name: string) =>
    RegExp.escape(valueOf(name, facts) ?? fail(whole)),
  );
  return new RegExp(filled, 'su');
}

/** Fills every text of a value as YAML has it; a text that is `${web.port}` alone becomes a number. */
export function fillAll(value: unknown, facts: Facts): unknown {
  if (typeof value === 'string')
    return /^\$\{\w+\.port\}$/.test(value) ? Number(fill(value, facts)) : fill(value, facts);
  if (Array.isArray(value)) return value.map((one) => fillAll(one, facts));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillAll(one, facts)]));
}

/** True if a case needs certificates: they take a moment to make. */
export function namesCertificate(plan: object): boolean {
  return /tls|\$\{(?:pem|key|file)\./i.test(JSON.stringify(plan));
}

/**
 * Bytes out of hexadecimal digits. `${4-7}` are bytes of what was received last, `${12-}` all from there on,
 * `${ntp}` the time now as an NTP timestamp (RFC 5905 section 6), `${ntp-2.5}` that of 2.5 s ago.
 */
export function bytesOf(hex: string, received: Buffer): Buffer {
  const digits = hex.replaceAll(placeholder, (whole, what: string) => {
    const range = /^(\d+)-(\d*)$/.exec(what);
    if (range) return received.subarray(Number(range[1]), range[2] ? Number(range[2]) + 1 : undefined).toString('hex');
    const time = /^ntp([+-][\d.]+)?$/.exec(what);
    return time ? ntpTimestamp(Date.now() / 1000 + Number(time[1] ?? 0)).toString('hex') : fail(whole);
  });
  const plain = digits.replaceAll(/\s/g, '');
  if (!/^(?:[0-9a-f]{2})*$/i.test(plain)) throw new Error(`Expected pairs of hexadecimal digits, got ${hex}.`);
  return Buffer.from(plain, 'hex');
}

const secondsFrom1900To1970 = 2_208_988_800;

function ntpTimestamp(unixSeconds: number): Buffer {
  const bytes = Buffer.alloc(8);
  const seconds = unixSeconds + secondsFrom1900To1970;
  bytes.writeUInt32BE(Math.floor(seconds) % 2 ** 32, 0);
  bytes.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), 4);
  return bytes;
}

function valueOf(name: string, { places, certificates }: Facts): string | undefined {
  const [first = '', part] = name.split('.');
  const certificate = part === undefined ? undefined : certificates?.[part as keyof TestCertificates];
  if (first === 'pem' && certificate) return certificate.certificate;
  if (first === 'key' && certificate) return certificate.key;
  if (first === 'file' && certificate) return certificate.certificatePath;
  const place = places.get(first);
  if (!place) return undefined;
  const host = place.host.includes(':') ? `[${place.host}]` : place.host;
  if (part === undefined) return `${host}:${place.port}`;
  return part === 'host' ? place.host : part === 'port' ? String(place.port) : undefined;
}

function fail(placeholder: string): never {
  throw new Error(
    `${placeholder} stands for nothing; known are \${SERVER}, \${SERVER.host}, \${SERVER.port}, \${pem.NAME}, \${key.NAME}.`,
  );
}
