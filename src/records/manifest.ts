import { z } from 'zod';
import { alarmCauses } from '../core/event.ts';
import { sensorNames } from '../core/sensor.ts';

const time = z.iso.datetime();
const n = z.int().min(0);
const hash = z.string().length(43);

/** Lines that follow each other without a break: what the first names as the hash before it, and the hash of the last. */
const run = z.strictObject({ first: n, previous: hash, last: n, head: hash });
export type LineRun = z.output<typeof run>;

const chain = z.strictObject({
  sensor: z.enum(sensorNames),
  chain: z.uuid(),
  begunAt: time,
  /** The server verified the lines up to this one with the key that it was told before the first. */
  verifiedTo: n,
  runs: z.array(run),
  alarms: z.array(z.strictObject({ n, cause: z.enum(alarmCauses), at: time, message: z.string() })),
});
export type ManifestChain = z.output<typeof chain>;

/** What a folder of evidence holds, as its server signs it. */
const manifestSchema = z.strictObject({
  evidence: z.literal('watchkeeper 1'),
  serverId: z.uuid(),
  /** Ed25519, raw, base64url. */
  serverKey: hash,
  agentId: z.string(),
  agent: z.string(),
  madeAt: time,
  /** The program that made it, and the text beside the lines. */
  version: z.string(),
  /** In the order of the lines in their files: by sensor, then as they were begun. */
  chains: z.array(chain),
});
export type Manifest = z.output<typeof manifestSchema>;

/** Undefined if it is none. */
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
