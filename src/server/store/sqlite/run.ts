import type { ResultItem } from '../../../core/entry.ts';
import type { Outcome } from '../../../core/outcome.ts';

/** A result as it is stored: the parts that rarely change as one text, and the numbers. */
export interface Run {
  /** The slot, whole epoch milliseconds. */
  readonly at: number;
  /** A StoredFinding as JSON. */
  readonly finding: string;
  /** As `numberNames` names them. */
  readonly numbers: readonly number[];
}

/** Everything about a run but its numbers. */
export interface StoredFinding extends Pick<Outcome, 'status' | 'reason' | 'source' | 'message' | 'detail'> {
  readonly hasLatency: boolean;
  /** Whether it was kept when the result came; absent is false. */
  readonly hasReceipt?: boolean;
  /** The names of the metrics that were measured. */
  readonly metrics: readonly string[];
}

/** What the numbers of a run with this finding are, in order. Metrics come last, so that none is taken for the others. */
export function numberNames({ hasLatency, hasReceipt = false, metrics }: StoredFinding): readonly string[] {
  const latency = hasLatency ? ['latencyMs'] : [];
  const receipt = hasReceipt ? ['receivedAfterMs', 'clockOffsetMs'] : [];
  return ['lateMs', 'durationMs', ...latency, ...receipt, ...metrics.map((name) => `metrics.${name}`)];
}

/** When the server received a result, by its own clock, and the agent's clock minus the server's then. */
export interface ReceiptTimes {
  readonly receivedAt: number;
  readonly clockOffsetMs: number;
}

export function runOf(item: ResultItem, receipt?: ReceiptTimes): Run {
  const { status, reason, source, message, detail, latencyMs, metrics } = item;
  const hasLatency = latencyMs !== undefined;
  const finding: StoredFinding = {
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(source === undefined ? {} : { source }),
    message,
    detail,
    hasLatency,
    ...(receipt && { hasReceipt: true }),
    metrics: Object.keys(metrics),
  };
  const at = Math.round(item.scheduledAt);
  const lateMs = Math.round(item.startedAt) - at;
  const latency = hasLatency ? [latencyMs] : [];
  const received = receipt ? [Math.round(receipt.receivedAt) - at, Math.round(receipt.clockOffsetMs)] : [];
  return {
    at,
    finding: JSON.stringify(finding),
    numbers: [lateMs, item.durationMs, ...latency, ...received, ...Object.values(metrics)],
  };
}

/** Whose run it was. */
export interface Origin {
  readonly agentId: string;
  readonly taskId: string;
  readonly monitorId: string;
}

export function itemOf(run: Run, { taskId, monitorId }: Origin): ResultItem & Partial<ReceiptTimes> {
  const { hasLatency, hasReceipt = false, metrics: names, ...found } = findingOf(run);
  const [lateMs = 0, durationMs = 0, ...rest] = run.numbers;
  const [latencyMs] = rest;
  const others = hasLatency ? rest.slice(1) : rest;
  const [receivedAfterMs = 0, clockOffsetMs = 0] = others;
  const values = hasReceipt ? others.slice(2) : others;
  return {
    kind: 'result',
    taskId,
    monitorId,
    scheduledAt: run.at,
    startedAt: run.at + lateMs,
    durationMs,
    ...(hasLatency && latencyMs !== undefined ? { latencyMs } : {}),
    ...(hasReceipt ? { receivedAt: run.at + receivedAfterMs, clockOffsetMs } : {}),
    metrics: Object.fromEntries(names.map((name, index) => [name, values[index] ?? 0])),
    ...found,
  };
}

export function findingOf(run: Pick<Run, 'finding'>): StoredFinding {
  // Only runOf writes these texts.
  return JSON.parse(run.finding) as StoredFinding;
}

export function latencyOf(finding: StoredFinding, run: Run): { readonly latencyMs?: number } {
  const latencyMs = finding.hasLatency ? run.numbers[2] : undefined;
  return latencyMs === undefined ? {} : { latencyMs };
}
