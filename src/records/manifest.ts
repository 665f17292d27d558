import { z } from 'zod';
import { isoTimeSchema } from '../core/iso-time.ts';
import { alarmCauses } from '../core/event.ts';
import { sensorNames } from '../core/sensor.ts';

const n = z.int().min(0);
const hash = z.string().length(43);

/** Consecutive lines: the hash that the first one links to, and the hash of the last. */
const run = z.strictObject({ first: n, previous: hash, last: n, head: hash });
export type LineRun = z.output<typeof run>;

const chain = z.strictObject({
  sensor: z.enum(sensorNames),
  chain: z.uuid(),
  begunAt: isoTimeSchema,
  /** The server verified the lines up to this one with the key that it was told before the first. */
  verifiedTo: n,
  /** What the server keeps of the chain, of which this may be an excerpt: lines before `first` are older than its retention. */
  kept: z.strictObject({ first: n, last: n }).optional(),
  runs: z.array(run),
  alarms: z.array(z.strictObject({ n, cause: z.enum(alarmCauses), at: isoTimeSchema, message: z.string() })),
});
export type ManifestChain = z.output<typeof chain>;

/** What somebody asked for; everything, where nothing is said. */
const asked = z.strictObject({
  sensor: z.enum(sensorNames).optional(),
  /** By the agent's clock, half-open. */
  from: isoTimeSchema.optional(),
  to: isoTimeSchema.optional(),
});
export type AskedEvidence = z.output<typeof asked>;

/** Contents of an evidence folder, as the server signs them. */
const manifestSchema = z.strictObject({
  /** Folders of form 1 say neither what was asked for nor what the server keeps. */
  evidence: z.enum(['watchkeeper 1', 'watchkeeper 2']),
  serverId: z.uuid(),
  /** Ed25519, raw, base64url. */
  serverKey: hash,
  agentId: z.string(),
  agent: z.string(),
  madeAt: isoTimeSchema,
  /** Version of the program that made the folder and the texts. */
  version: z.string(),
  asked: asked.optional(),
  /** In the order of the lines in their files: by sensor, then as they were begun. */
  chains: z.array(chain),
});
export type Manifest = z.output<typeof manifestSchema>;

/** Undefined if the text is not a manifest. */
export function readManifest(text: string): Manifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export interface SignedManifest {
  /** JSON; its bytes are what is signed. */
  readonly manifest: string;
  /** Base64url. */
  readonly signature: string;
}
