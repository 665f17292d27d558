import type { Cancel, Clock } from '../../core/clock.ts';
import type { ThreadPort } from '../../core/thread.ts';
import type { Disk } from './disk.ts';
import type { AppendMessage, SpoolHistory, SpoolReply, SpoolRequest, SpoolSizes } from './messages.ts';
import { Queue } from './queue.ts';

/** Pause before a refusing disk is tried again, and the most that the ledger lags behind; entries it misses are sent again after a restart. */
const pauseMs = 1000;
const reserveBytes = 64 * 1024 ** 2;

export interface SpoolBodyParts extends SpoolSizes, SpoolHistory {
  readonly disk: Disk;
  readonly clock: Clock;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
}

/** The body of the spool's own thread: fsync blocks here and not where checks are timed. */
export function runSpool(port: ThreadPort<SpoolRequest, SpoolReply>, parts: SpoolBodyParts): void {
  const { disk, clock, random, ...sizes } = parts;
  const newEpoch = (): number => newEpochOf(clock.now(), random());
  serve(port, new Queue(disk, { ...sizes, reserveBytes, now: () => clock.now(), newEpoch }), clock);
}

type Done = Extract<SpoolReply, { type: 'done' }>;

function serve(port: ThreadPort<SpoolRequest, SpoolReply>, queue: Queue, clock: Clock): void {
  let cancelCommit: Cancel | undefined;
  let cancelLook = clock.after(pauseMs, look);
  port.listen((request) => {
    const answer = handle(queue, request);
    if (request.type === 'close') return end(request.id);
    if ('id' in request) port.post({ type: 'done', id: request.id, ...answer, stats: queue.stats() });
    // Everything that arrives while the disk is busy becomes one commit. A refusing disk is tried again when space may have been freed.
    const isFreeing = request.type === 'acknowledge';
    if (cancelCommit || !(isFreeing || (queue.isCommitDue && !queue.isImpaired))) return;
    cancelCommit = clock.after(0, commit);
  });
  port.post({ type: 'opened', recovered: queue.recovered, stats: queue.stats() });

  function look(): void {
    if (queue.lookAtSpace() || queue.isCommitDue) commit();
    queue.note();
    cancelLook = clock.after(pauseMs, look);
  }

  function commit(): void {
    cancelCommit?.();
    cancelCommit = undefined;
    port.post({ type: 'receipts', receipts: queue.commit(), stats: queue.stats() });
  }

  function end(id: number): void {
    commit();
    queue.close();
    port.post({ type: 'done', id, entries: [], stats: queue.stats() });
    cancelLook();
    port.close();
  }
}

function handle(queue: Queue, request: SpoolRequest): Pick<Done, 'entries' | 'obstacle'> {
  if (request.type === 'read') return { entries: queue.read(request.lane, request.limit) };
  if (request.type === 'reconcile') return { entries: [], obstacle: queue.reconcile(request.received) };
  if (request.type === 'append') append(queue, request);
  if (request.type === 'acknowledge') queue.acknowledge(request.ranges);
  if (request.type === 'start-sending') queue.startSending();
  return { entries: [] };
}

function append(queue: Queue, { firstTicket, jsons, droppable }: AppendMessage): void {
  jsons.forEach((json, index) => {
    queue.append(json, { ticket: firstTicket + index, droppable: droppable[index] === 'd' });
  });
}

/** Later spools of one agent get higher epochs while its clock goes forward, and different ones always. */
function newEpochOf(now: number, random: number): number {
  return Math.floor(now) * 1024 + Math.floor(random * 1024);
}
