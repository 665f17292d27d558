import type { MonitorRecord } from './monitor-record.ts';
import type { MonitorPolicy } from './policies.ts';
import type { Suppression } from './suppression.ts';
import { isFailing } from './voice.ts';

/** A parent that has just been asked answers within its timeout and this. */
const answerGraceMs = 2000;
/** Below a parent that is up again, a monitor is run again within this time. */
const returnMs = 60_000;

/** Why messages of a monitor wait for those that it depends on; undefined if they do not. */
export function behindParents(
  child: MonitorRecord,
  parents: readonly MonitorRecord[],
  { confirmedAt, now }: { readonly confirmedAt: number; readonly now: number },
): Omit<Suppression, 'reason'> | undefined {
  if (parents.length === 0) return undefined;
  const waits = parents.map((parent) => waitBehind(child, parent, { confirmedAt, now }));
  const isBehind = child.policy.dependsOnAny
    ? waits.some((wait) => wait !== undefined)
    : waits.every((wait) => wait !== undefined);
  return isBehind ? waits.find((wait) => wait !== undefined) : undefined;
}

function waitBehind(
  child: MonitorRecord,
  parent: MonitorRecord,
  { confirmedAt, now }: { readonly confirmedAt: number; readonly now: number },
): Omit<Suppression, 'reason'> | undefined {
  const by = parent.policy.name;
  if (parent.row.isPaused) return undefined;
  if (isDownFrom(child, parent)) return { by };
  const until = confirmedAt + parent.policy.timeoutMs + answerGraceMs;
  const isAsked = [...parent.voices.values()].some(({ row }) => isFailing(row.voice));
  if (isAsked && until > now) return { by, until };
  return waitForRun(child, parent, now);
}

/** Down or unknown as the very agents see it that see the child down; one that does not watch the parent takes its state. */
function isDownFrom(child: MonitorRecord, parent: MonitorRecord): boolean {
  const seeing = [...child.voices.values()].filter(
    ({ row }) => row.voice.state === 'down' || row.voice.state === 'degraded',
  );
  if (seeing.length === 0) return isGone(parent.row.state, parent.row.since);
  return seeing.every(({ row: { agentId } }) => {
    const voice = parent.voices.get(agentId)?.row.voice;
    return voice ? isGone(voice.state, voice.since) : isGone(parent.row.state, parent.row.since);
  });
}

/** A parent of which nothing was ever known hides nothing. */
function isGone(state: string, since: number): boolean {
  return state === 'down' || (state === 'unknown' && since > 0);
}

function waitForRun(child: MonitorRecord, parent: MonitorRecord, now: number): Omit<Suppression, 'reason'> | undefined {
  const { state, since } = parent.row;
  const until = since + returnMs;
  if (state !== 'up' || until <= now) return undefined;
  // Up since before the child failed: it was not in the way.
  const failedSince = child.row.since;
  if (since <= failedSince) return undefined;
  const isFresh = [...child.voices.values()].some(({ heardAt }) => heardAt > since);
  return isFresh ? undefined : { by: parent.policy.name, until };
}

/** The ids of those that depend on each monitor. */
export function childrenByParent(
  monitors: readonly Pick<MonitorPolicy, 'id' | 'dependsOn'>[],
): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const { id, dependsOn } of monitors)
    for (const parent of new Set(dependsOn)) children.getOrInsertComputed(parent, () => []).push(id);
  return children;
}

/** The ids on a circle of dependencies, in order, the first again at its end; undefined if there is none. */
export function dependencyCycle(dependsOn: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  for (const start of dependsOn.keys()) {
    const path: string[] = [];
    const stack: { readonly id: string; readonly next: Iterator<string> }[] = [];
    const enter = (id: string): void => {
      path.push(id);
      stack.push({ id, next: (dependsOn.get(id) ?? []).values() });
    };
    if (!done.has(start)) enter(start);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { value, done: isEnd } = top.next.next() as IteratorResult<string, undefined>;
      if (isEnd === true || value === undefined) {
        done.add(top.id);
        stack.pop();
        path.pop();
      } else if (path.includes(value)) return [...path.slice(path.indexOf(value)), value];
      else if (!done.has(value)) enter(value);
    }
  }
  return undefined;
}
