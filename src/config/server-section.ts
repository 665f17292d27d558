import { z } from 'zod';
import { duration } from '../core/duration.ts';
import { isSameName } from '../core/names.ts';
import { quoted } from '../core/quoted.ts';
import { endpointOf, hostname, port } from '../core/target.ts';
import type { LoadedDocument } from './loaded-documents.ts';
import { partOf } from './mistake.ts';
import { isSeen } from './monitor-entry.ts';
import { readSection } from './section.ts';
import { readTlsFiles, type TlsMaterial } from './tls-files.ts';

const dayMs = 86_400_000;
const days = (defaultDays: number, description: string) =>
  duration({ min: dayMs, max: 36_500 * dayMs, default: defaultDays * dayMs }).meta({
    description,
    example: '90d',
  });

const endpoint = z
  .string()
  .max(300)
  .transform((text, context): unknown => {
    try {
      const endpoint = endpointOf(text);
      if (endpoint.port !== undefined && !text.includes('://')) return endpoint;
    } catch {
      // Said below.
    }
    context.addIssue({ code: 'custom', message: 'expected HOST:PORT, like agent.example:7412', input: text });
    return z.NEVER;
  })
  .pipe(z.strictObject({ host: hostname, port }));

const tokenForm = /^wk1\.[\w-]{43}\.[\w-]{43}$/;
const tokenMistake = "expected a token that begins with wk1, as 'watchkeeper agent --listen' printed it";

export const agentsSchema = z
  .array(
    z.strictObject({
      name: z.string().trim().min(1).max(200).superRefine(isSeen).meta({
        description: 'Name of the agent, unique',
        example: 'berlin',
      }),
      address: endpoint.meta({
        description: 'Where it listens: what was given to `watchkeeper agent --listen`',
        example: 'berlin.example:7412',
      }),
      token: z.string().trim().regex(tokenForm, tokenMistake).optional().meta({
        description: 'Token that the agent printed when it first listened; needed until the two have met',
        example: '${file:/run/secrets/berlin-token}',
        secret: true,
      }),
    }),
  )
  .max(10_000);
type CalledAgent = z.output<typeof agentsSchema>[number];

export const tlsSchema = z.strictObject({
  certificate: z.string().min(1).meta({
    description: 'File with the certificate and those that lead to its issuer, in PEM',
    example: '/etc/watchkeeper/tls.pem',
  }),
  key: z
    .string()
    .min(1)
    .meta({ description: 'File with the private key of the certificate, in PEM', example: '/etc/watchkeeper/tls.key' }),
});

export const retentionSchema = z.strictObject({
  results: days(400, 'Each result'),
  hours: days(1200, 'Summaries of an hour'),
  days: days(3650, 'Summaries of a day'),
  devices: days(180, 'Records of the sensors usb and mounts'),
  traffic: days(30, 'Records of the sensor traffic'),
});
type Retention = z.output<typeof retentionSchema>;

export const publicUrlSchema = z
  .string()
  .max(300)
  // Its value is not shown: it holds a password.
  .refine((text) => !/^[^/]*\/\/[^/]*@/.test(text), {
    error: 'expected an address without a user, got one with @',
    abort: true,
  })
  .refine((text) => {
    const url = URL.parse(text);
    const isBare = url?.pathname === '/' && url.search === '' && url.hash === '';
    return isBare && (url.protocol === 'https:' || url.protocol === 'http:');
  }, 'expected an address like https://watch.example, without a path')
  .meta({
    description: 'Where agents and people reach this server, if not where it listens; `invite` prints it',
    example: 'https://watch.example',
  });

export const trustedProxiesSchema = z
  .array(
    z.union(
      [z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()],
      'expected an address or a range, like 10.0.0.5 or 10.0.0.0/8',
    ),
  )
  .max(100)
  .meta({
    description: "Proxies in front of this server, whose X-Forwarded-For is believed; nobody else's is",
    example: '[10.0.0.5]',
  });

export const deadmanSchema = z.strictObject({
  url: z
    .string()
    .max(8192)
    .refine(
      (text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''),
      'expected a URL that begins with https:// or http://',
    )
    .meta({
      description: 'What to ask for (GET) while this server works; a secret',
      example: '${file:/etc/watchkeeper/deadman.url}',
      secret: true,
    }),
  interval: duration({ min: 10_000, max: dayMs, default: 60_000 }).meta({
    description: 'How often; its owner should raise the alarm after three times of silence',
    example: '1m',
  }),
});

/** The sections of a file that only a server reads. */
export const serverKeys = ['agents', 'tls', 'retention', 'publicUrl', 'trustedProxies', 'deadman'] as const;

export interface ServerSection {
  /** Agents that listen, and that this server calls. */
  readonly agents: readonly CalledAgent[];
  /** Without it a server beyond loopback makes its own certificate. */
  readonly tls?: TlsMaterial;
  /** How long each class of data is kept. */
  readonly retention: Retention;
  /** Where others reach this server; where it listens if absent. */
  readonly publicUrl?: string;
  /** Addresses and ranges of proxies that are believed about their clients. */
  readonly trustedProxies?: readonly string[];
  /** Asked for while this server works. */
  readonly deadman?: z.output<typeof deadmanSchema>;
}

/** The files that have each section; undefined if there is a mistake in one, which is then reported. */
export function readServer(
  found: Readonly<Record<(typeof serverKeys)[number], readonly LoadedDocument[]>>,
): ServerSection | undefined {
  const agents = readAgents(found.agents);
  const [withTls] = found.tls;
  const tls = withTls && readTls(withTls);
  const [withRetention] = found.retention;
  const retention = withRetention
    ? readSection(retentionSchema, withRetention.contents.retention, partOf(withRetention.document, ['retention']))
    : retentionSchema.parse({});
  const publicUrl = readOne(publicUrlSchema, 'publicUrl', found);
  const trustedProxies = readOne(trustedProxiesSchema, 'trustedProxies', found);
  const deadman = readOne(deadmanSchema, 'deadman', found);
  const isSingle = singleKeys.every((key) => found[key].length < 2);
  if (!agents || !retention || (withTls && !tls) || !publicUrl || !trustedProxies || !deadman || !isSingle)
    return undefined;
  return { agents, ...(tls && { tls }), retention, ...publicUrl, ...trustedProxies, ...deadman };
}

/** Keys that one file alone may have. */
const singleKeys = ['tls', 'retention', 'publicUrl', 'trustedProxies', 'deadman'] as const;

/** An object with the value of this key, empty where no file has it; undefined if there is a mistake in it, which is reported. */
function readOne<Key extends 'publicUrl' | 'trustedProxies' | 'deadman', Value>(
  schema: z.ZodType<Value>,
  key: Key,
  found: Parameters<typeof readServer>[0],
): { readonly [K in Key]?: Value } | undefined {
  const [first] = found[key];
  if (!first) return {};
  const value = readSection(schema, first.contents[key], partOf(first.document, [key]));
  // An object of that key is one that may have it.
  return value === undefined ? undefined : ({ [key]: value } as { readonly [K in Key]?: Value });
}

function readAgents(found: readonly LoadedDocument[]): readonly CalledAgent[] | undefined {
  const known: { readonly name: string; readonly place: string }[] = [];
  let isRight = true;
  const agents = found.flatMap(({ document, contents }) => {
    const file = partOf(document, ['agents']);
    const list = readSection(agentsSchema, contents.agents ?? [], file);
    isRight &&= list !== undefined;
    for (const [index, { name }] of list?.entries() ?? []) {
      const other = known.find((one) => isSameName(one.name, name));
      if (other) {
        const called = other.name === name ? 'is called' : `is called ${quoted(other.name)}, which looks like`;
        file.report([index, 'name'], `another agent, in ${other.place}, ${called} ${quoted(name)}`);
        isRight = false;
      }
      known.push({ name, place: file.lineOf([index, 'name']) });
    }
    return list ?? [];
  });
  return isRight ? agents : undefined;
}

function readTls({ document, contents }: LoadedDocument): TlsMaterial | undefined {
  const file = partOf(document, ['tls']);
  const names = readSection(tlsSchema, contents.tls, file);
  return names && readTlsFiles(names, document.folder, file);
}
