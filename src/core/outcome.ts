/** Verdict on a target. `unknown` means that no verdict is possible; it is never shown as `down`. */
export const statuses = ['up', 'degraded', 'down', 'unknown'] as const;
export type Status = (typeof statuses)[number];

/** Whose fault it is, as far as one vantage point can tell. */
export const sources = ['target', 'path', 'resolver', 'agent'] as const;
export type Source = (typeof sources)[number];

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

interface ReasonFacts {
  readonly source: Source;
  readonly status: Exclude<Status, 'up'>;
}

/** Every reason an outcome can carry, whose fault it is, and which status it means, unless the check says otherwise. */
export const reasonFacts = {
  timeout: { source: 'target', status: 'down' },
  refused: { source: 'target', status: 'down' },
  reset: { source: 'target', status: 'down' },
  closed: { source: 'target', status: 'down' },
  unreachable: { source: 'path', status: 'down' },
  loss: { source: 'path', status: 'down' },
  'name-not-found': { source: 'target', status: 'down' },
  'resolver-failed': { source: 'resolver', status: 'unknown' },
  'tls-expired': { source: 'target', status: 'down' },
  'tls-not-yet-valid': { source: 'target', status: 'down' },
  'tls-wrong-name': { source: 'target', status: 'down' },
  'tls-untrusted': { source: 'target', status: 'down' },
  'tls-revoked': { source: 'target', status: 'down' },
  'tls-client-certificate': { source: 'target', status: 'down' },
  'tls-handshake': { source: 'target', status: 'down' },
  protocol: { source: 'target', status: 'down' },
  'too-large': { source: 'target', status: 'down' },
  'too-many-redirects': { source: 'target', status: 'down' },
  assertion: { source: 'target', status: 'down' },
  threshold: { source: 'target', status: 'degraded' },
  denied: { source: 'agent', status: 'unknown' },
  unsupported: { source: 'agent', status: 'unknown' },
  /** This machine has run out of something: descriptors, ports, memory. */
  exhausted: { source: 'agent', status: 'unknown' },
  missed: { source: 'agent', status: 'unknown' },
  lag: { source: 'agent', status: 'unknown' },
  cancelled: { source: 'agent', status: 'unknown' },
  internal: { source: 'agent', status: 'unknown' },
} as const satisfies Record<string, ReasonFacts>;

export type Reason = keyof typeof reasonFacts;
export const reasons = Object.keys(reasonFacts) as readonly Reason[];

/** What a check returns. It must survive JSON: no NaN, no Infinity, no class instances. */
export interface Outcome {
  readonly status: Status;
  /** The figure a person would call "how long it took", in milliseconds; its meaning depends on the check type. */
  readonly latencyMs?: number;
  /** Numbers the check type declares in its `metrics`, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Evidence for people. */
  readonly detail: JsonObject;
  readonly reason?: Reason;
  readonly source?: Source;
  /** One sentence: when up, what answered; otherwise what was expected and what came, with the value. */
  readonly message: string;
}

/** The measured part of an outcome, as far as a run came. */
export interface Measured {
  readonly latencyMs?: number | undefined;
  readonly metrics?: Readonly<Record<string, number>> | undefined;
  readonly detail?: JsonObject | undefined;
}

export function up(message: string, measured: Measured = {}): Outcome {
  return { status: 'up', ...seen(measured), message };
}

/** A failed outcome; status and source follow from the reason unless `as` overrides them. */
export function failed(
  reason: Reason,
  message: string,
  measured: Measured & { readonly as?: { readonly status?: Status; readonly source?: Source } } = {},
): Outcome {
  const { status, source } = { ...reasonFacts[reason], ...measured.as };
  return { status, ...seen(measured), reason, source, message };
}

function seen({ latencyMs, metrics = {}, detail = {} }: Measured): Pick<Outcome, 'latencyMs' | 'metrics' | 'detail'> {
  return latencyMs === undefined ? { metrics, detail } : { latencyMs, metrics, detail };
}
