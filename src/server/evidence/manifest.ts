import { isoTimeOf } from '../../core/iso-time.ts';
import { sensorNames, type SensorName } from '../../core/sensor.ts';
import { readLine } from '../../records/chain.ts';
import type { AskedEvidence, Manifest, ManifestChain, LineRun, SignedManifest } from '../../records/manifest.ts';
import { signBytes, type Identity } from '../../protocol/identity.ts';
import type { Chain, Evidence, KeptLine } from '../store/evidence.ts';

export interface Excerpt {
  readonly agentId: string;
  readonly agent: string;
  /** All if absent. */
  readonly sensor?: SensorName | undefined;
  /** Epoch milliseconds by the agent's clock; everything between the first and last line of this period is included. All if absent. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface ManifestParts {
  readonly store: Pick<Evidence, 'chains' | 'lines' | 'alarms'>;
  readonly identity: Identity & { readonly serverId: string };
  readonly version: string;
  readonly now: number;
}

const linesAtOnce = 100;
const maxAlarms = 10_000;

export async function signedManifest(excerpt: Excerpt, parts: ManifestParts): Promise<SignedManifest> {
  const { store, identity, version, now } = parts;
  const { agentId, agent, sensor } = excerpt;
  const ofAgent = (await store.chains()).filter(
    (each) => each.agentId === agentId && (sensor === undefined || each.sensor === sensor),
  );
  const alarms = await store.alarms({ agentId, limit: maxAlarms });
  const chains: ManifestChain[] = [];
  for (const each of ofAgent.toSorted((a, b) => sensorNames.indexOf(a.sensor) - sensorNames.indexOf(b.sensor))) {
    const runs = await runsOf(each, excerpt, store);
    const raised = alarms.filter((alarm) => alarm.chain === each.chain);
    if (runs.length > 0 || raised.length > 0) chains.push(chainOf(each, runs, raised));
  }
  const { serverId, publicKey: serverKey } = identity;
  const madeAt = isoTimeOf(now);
  const content: Manifest = {
    evidence: 'watchkeeper 2',
    serverId,
    serverKey,
    agentId,
    agent,
    madeAt,
    version,
    asked: askedFor(excerpt),
    chains,
  };
  const manifest = `${JSON.stringify(content, undefined, 2)}\n`;
  return { manifest, signature: signBytes(identity, Buffer.from(manifest)) };
}

function askedFor({ sensor, from, to }: Excerpt): AskedEvidence {
  return {
    ...(sensor && { sensor }),
    ...(from !== undefined && { from: isoTimeOf(from) }),
    ...(to !== undefined && { to: isoTimeOf(to) }),
  };
}

function chainOf(
  { sensor, chain: id, begunAt, cursor, droppedTo, last }: Chain,
  runs: readonly LineRun[],
  alarms: Awaited<ReturnType<Evidence['alarms']>>,
): ManifestChain {
  return {
    sensor,
    chain: id,
    begunAt: isoTimeOf(begunAt),
    verifiedTo: cursor.key === undefined ? 0 : cursor.n,
    kept: { first: droppedTo + 1, last },
    runs: [...runs],
    alarms: alarms
      .map(({ n: line, cause, at, message }) => ({ n: line, cause, at: isoTimeOf(at), message }))
      .toReversed(),
  };
}

/** Lines as runs, because a chain may have millions. */
async function runsOf(
  { chain: id }: Chain,
  { from = 0, to = Infinity }: Excerpt,
  store: Pick<Evidence, 'lines'>,
): Promise<readonly LineRun[]> {
  const runs: LineRun[] = [];
  /** State at the last line of the period; later lines are not in the excerpt. */
  let end: { readonly count: number; readonly last: LineRun } | undefined;
  for await (const { n: number, at, line, hash: head } of linesOf(id, store)) {
    const isAsked = at >= from && at < to;
    if (!isAsked && !end) continue;
    const last = extend(runs, { first: number, previous: readLine(line)?.previous ?? '', last: number, head });
    if (isAsked) end = { count: runs.length, last };
  }
  return end ? [...runs.slice(0, end.count - 1), end.last] : [];
}

async function* linesOf(id: string, store: Pick<Evidence, 'lines'>): AsyncGenerator<KeptLine> {
  for (let next = 1; ;) {
    const lines = await store.lines({ chain: id, from: next, limit: linesAtOnce });
    yield* lines;
    if (lines.length < linesAtOnce) return;
    next = (lines.at(-1)?.n ?? 0) + 1;
  }
}

/** Adds a line, which continues the last run or begins one; returns its run. */
function extend(runs: LineRun[], line: LineRun): LineRun {
  const last = runs.at(-1);
  if (!last || line.first !== last.last + 1 || line.previous !== last.head) {
    runs.push(line);
    return line;
  }
  const run = { ...last, last: line.last, head: line.head };
  runs[runs.length - 1] = run;
  return run;
}
