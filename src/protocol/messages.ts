import { z } from 'zod';
import { gapCauses, type Item, type SeqRange } from '../core/entry.ts';
import { hasAtMostLevels } from '../core/json-size.ts';
import { maxIntervalMs, minIntervalMs } from '../core/monitor.ts';
import { blindCauses } from '../core/record.ts';
import { sensorNames } from '../core/sensor.ts';
import { reasons, sources, statuses, type JsonObject, type Reason } from '../core/outcome.ts';

/** Raised when an older side could no longer read a newer side's messages. */
export const protocolVersion = 3;
export const maxEntriesPerFrame = 2000;
/** Tasks, or ids of tasks, in one frame; longer lists come in several. */
export const maxIdsPerFrame = 5000;
/** Most urgent first: new entries, then those that waited for a connection. */
export const lanes = ['live', 'backlog'] as const;
export type Lane = (typeof lanes)[number];
export const heartbeatIntervalMs = 5000;
/** A URL of 8 KiB, and what is written around it. */
const maxTargetLength = 10_000;
const maxTimerMs = 2 ** 31 - 1;
/** Path of the WebSocket endpoint on the listening side. */
export const agentPath = '/agent';

const id = z.string().min(1).max(200);
/** Name of an agent as people see it. */
const name = id.regex(/^[^\p{Cc}]+$/u, 'expected no control characters');
const uuid = z.uuid();
/** Up to the end of 2099: a clock that says more is wrong. */
const epochMs = z.number().min(0).max(4_102_444_799_999);
/** A year. */
const durationMs = z.number().min(0).max(31_536_000_000);
/** Identifies one numbering of an agent's spool. */
const epoch = z.string().min(1).max(40);
const count = z.int().min(0);
const seq = z.int().min(1);
const sentence = z.string().max(4000);
const base64url = z
  .string()
  .max(1000)
  .regex(/^[\w-]+$/, 'expected base64url');
const range = z.tuple([seq, seq]).refine(([from, to]) => from <= to, 'expected from ≤ to');
// Zod's tuple type is mutable, ours is not.
const ranges = z.array(range).max(10_000) as unknown as z.ZodType<readonly SeqRange[]>;
const maxLevels = 16;
// JSON.parse made it, so it is JSON. z.record would copy it.
const jsonObject = z.custom<JsonObject>(
  (value) => isPlainObject(value) && hasAtMostLevels(maxLevels, value),
  `expected an object of at most ${maxLevels} levels`,
);
/** Check types measure about a dozen numbers; the store keeps a column for each name. */
const maxMetrics = 64;
const metricName = /^[a-z]\w{0,63}$/i;
const metrics = z.custom<Readonly<Record<string, number>>>(
  (value) =>
    isPlainObject(value) &&
    Object.keys(value).length <= maxMetrics &&
    Object.entries(value).every(([name, number]) => metricName.test(name) && Number.isFinite(number)),
  `expected at most ${maxMetrics} numbers by names of letters and digits`,
);

const resultItem = z.strictObject({
  kind: z.literal('result'),
  taskId: uuid,
  monitorId: id,
  scheduledAt: epochMs,
  startedAt: epochMs,
  durationMs,
  status: z.enum(statuses),
  latencyMs: durationMs.optional(),
  metrics,
  detail: jsonObject,
  reason: z.enum(reasons as readonly [Reason, ...Reason[]]).optional(),
  source: z.enum(sources).optional(),
  message: sentence,
});

const gapItem = z.strictObject({ kind: z.literal('gap'), ranges, cause: z.enum(gapCauses), at: epochMs });

const absenceItem = z
  .strictObject({ kind: z.literal('absence'), from: epochMs, to: epochMs, reason: z.enum(blindCauses) })
  .refine(({ from, to }) => from <= to, 'expected from ≤ to');

export const maxLineBytes = 200 * 1024;

const recordItem = z.strictObject({
  kind: z.literal('record'),
  chain: uuid,
  line: z.string().min(1).max(maxLineBytes),
});

/** Zod types an absent option as possibly `undefined`; JSON has no undefined, so an absent key stays absent. */
const item = z.discriminatedUnion('kind', [resultItem, gapItem, recordItem, absenceItem]) as unknown as z.ZodType<Item>;

/**
 * One invalid item must not block the thousands behind it: a gap closes its number, as for a result
 * refused for another reason.
 */
const entry = z.strictObject({ seq, item: item.catch(({ value }) => refusedItem(value)) });

function isPlainObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refusedItem(value: unknown): Item {
  const { startedAt } = (value ?? {}) as { readonly startedAt?: unknown };
  return { kind: 'gap', ranges: [], cause: 'refused', at: epochMs.safeParse(startedAt).data ?? 0 };
}

export const task = z.strictObject({
  id: uuid,
  monitorId: id,
  monitorName: id,
  type: z.string().max(40),
  target: z.string().max(maxTargetLength),
  options: jsonObject,
  intervalMs: z.int().min(minIntervalMs).max(maxIntervalMs),
  // Longer delays overflow a timer, which then fires at once.
  timeoutMs: z.int().min(1).max(maxTimerMs),
  paused: z.boolean(),
});

/** Health by the agent's own measure. `impaired` lists what fails: its results do not count meanwhile. `warnings` lists what will fail soon. */
const health = z.strictObject({
  lagMs: durationMs,
  impaired: z
    .array(z.strictObject({ part: z.enum(['gateway', 'resolver', 'clock', 'lag', 'spool']), message: sentence }))
    .max(10),
  warnings: z.array(sentence).max(10).optional(),
});

const queue = z.strictObject({ depth: count, bytes: count, oldestUnsentAt: epochMs.optional(), lastSeq: count });

const sensor = z.enum(sensorNames);
const sha256 = z.string().regex(/^[\w-]{43}$/, 'expected 32 bytes in base64url');

/** The last line of a chain of records. The server hears it every five seconds, so a cut-off end is noticed. */
const chainHead = z.strictObject({ sensor, chain: uuid, n: count, head: sha256 });
export type ChainHead = z.output<typeof chainHead>;

export const sensorReport = z.strictObject({
  sensor,
  state: z.enum(['running', 'limited', 'unavailable']),
  message: sentence,
});
export type SensorReport = z.output<typeof sensorReport>;

/** What an agent must watch on its own machine, and what the watched person is told about it. */
export const sensorOrder = z.strictObject({
  sensors: z.array(z.strictObject({ sensor, options: jsonObject })).max(sensorNames.length),
  /** Who collects; empty if nothing is collected. */
  by: z.string().max(300),
  purpose: z.string().max(1000).optional(),
  /** Collection ends at this time, even without a connection to the server. */
  until: epochMs.optional(),
});
export type SensorOrder = z.output<typeof sensorOrder>;

export const errorCodes = [
  'bad-frame',
  'unsupported-version',
  'unknown-agent',
  'bad-signature',
  'bad-token',
  'bad-name',
  'revoked',
  'replaced',
  'not-your-entries',
  'quota',
  'unavailable',
] as const;
export type ProtocolErrorCode = (typeof errorCodes)[number];

/** The last message before closing: what the other side did wrong, or why it cannot be served now. */
export const errorMessage = z.strictObject({ type: z.literal('error'), code: z.enum(errorCodes), message: sentence });
export type ErrorMessage = z.output<typeof errorMessage>;

/** What an agent says to the server. */
export const agentMessage = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    protocol: z.int(),
    agentId: uuid,
    name,
    version: z.string().max(100),
    publicKey: base64url,
    /** Id of the join token and the proof of holding it, if the server does not know this key yet. */
    join: z.strictObject({ tokenId: base64url, proof: base64url }).optional(),
    /** For the server to sign. */
    nonce: base64url,
    epoch,
    signature: base64url,
  }),
  z.strictObject({ type: z.literal('tasks-applied'), revision: count }),
  z.strictObject({
    type: z.literal('entries'),
    lane: z.enum(lanes),
    epoch,
    // Counted before they are parsed: half a million invalid entries fit a frame, and each would produce an error.
    entries: z.array(z.unknown()).min(1).max(maxEntriesPerFrame).pipe(z.array(entry)),
  }),
  z.strictObject({
    type: z.literal('heartbeat'),
    at: epochMs,
    queue,
    health,
    tasks: count,
    chains: z.array(chainHead).max(sensorNames.length),
    sensors: z.array(sensorReport).max(sensorNames.length),
  }),
  /** Sent before a chain's first record with its first key, which the agent deletes with that record. Answered by `chain-begun`. */
  z.strictObject({ type: z.literal('chain-begin'), sensor, chain: uuid, key: sha256 }),
  /** `scheduledAt`: that of the result to come. */
  z.strictObject({ type: z.literal('run-accepted'), requestId: uuid, scheduledAt: epochMs }),
  z.strictObject({ type: z.literal('run-refused'), requestId: uuid, message: sentence }),
  errorMessage,
]);
export type AgentMessage = Exclude<z.output<typeof agentMessage>, ErrorMessage>;
export type Heartbeat = Extract<AgentMessage, { type: 'heartbeat' }>;

/** What the server says to an agent. */
export const serverMessage = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('challenge'),
    protocol: z.int(),
    serverId: uuid,
    publicKey: base64url,
    nonce: base64url,
    /** Proof of holding the token that the called agent printed, if it knows no server yet. */
    pairing: base64url.optional(),
  }),
  /** `name`: what the agent is called on this server. */
  z.strictObject({ type: z.literal('welcome'), signature: base64url, name, at: epochMs, received: ranges }),
  z.strictObject({
    type: z.literal('tasks'),
    revision: count,
    /** The revision that this changes; if absent, `set` is the complete list. */
    base: count.optional(),
    /** The change goes on in the next frame of tasks: it takes effect when the last has come. */
    more: z.boolean().optional(),
    set: z.array(task).max(maxIdsPerFrame),
    remove: z.array(uuid).max(maxIdsPerFrame),
  }),
  /** After each welcome, and whenever it changes. */
  /** `now`: the server's time, so that the agent can tell how long it is until the end, whatever its own clock says. */
  z.strictObject({ type: z.literal('sensors'), order: sensorOrder, now: epochMs }),
  /** The chain's first key is kept. */
  z.strictObject({ type: z.literal('chain-begun'), chain: uuid }),
  /** The announced chain cannot be verified because its key is unknown here; the agent must begin another. */
  z.strictObject({ type: z.literal('chain-unknown'), chain: uuid }),
  z.strictObject({ type: z.literal('ack'), epoch, ranges }),
  z.strictObject({ type: z.literal('heartbeat-seen'), at: epochMs }),
  z.strictObject({ type: z.literal('run-now'), requestId: uuid, taskId: uuid }),
  errorMessage,
]);
export type ServerMessage = Exclude<z.output<typeof serverMessage>, ErrorMessage>;
