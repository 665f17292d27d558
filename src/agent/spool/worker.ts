// The spool's own thread: fsync blocks here and not where checks are timed.
import { randomInt } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { folderDisk } from './disk.ts';
import type { SpooledEntry } from './reader.ts';
import type { AppendMessage, SpoolReply, SpoolRequest, WorkerOptions } from './messages.ts';
import { Queue } from './queue.ts';

/** Pause before a refusing disk is tried again, and the most that the ledger lags behind; entries it misses are sent again after a restart. */
const pauseMs = 1000;
const reserveBytes = 64 * 1024 ** 2;

if (!parentPort) throw new Error('This file is the body of a worker thread: it is started by openSpool.');
const port = parentPort;
// Given by openSpool, which has the same type.
const options = workerData as WorkerOptions;

try {
  serve(new Queue(folderDisk(options.folder), { ...options, reserveBytes, now: Date.now, newEpoch: newEpoch() }));
} catch (error) {
  say({ type: 'refused', message: error instanceof Error ? error.message : String(error) });
  port.close();
}

function serve(queue: Queue): void {
  let dueCommit: NodeJS.Immediate | undefined;
  const timer = setInterval(() => {
    if (queue.lookAtSpace() || queue.isCommitDue) commit();
    queue.note();
  }, pauseMs);
  port.on('message', (request: SpoolRequest) => {
    const entries = handle(queue, request);
    if (request.type === 'close') return end(request.id);
    if ('id' in request) say({ type: 'done', id: request.id, entries, stats: queue.stats() });
    // Everything that arrives while the disk is busy becomes one commit. A refusing disk is tried again when space may have been freed.
    const isFreeing = request.type === 'acknowledge';
    if (dueCommit || !(isFreeing || (queue.isCommitDue && !queue.isImpaired))) return;
    dueCommit = setImmediate(commit);
  });
  say({ type: 'opened', recovered: queue.recovered, stats: queue.stats() });

  function commit(): void {
    clearImmediate(dueCommit);
    dueCommit = undefined;
    say({ type: 'receipts', receipts: queue.commit(), stats: queue.stats() });
  }

  function end(id: number): void {
    commit();
    queue.close();
    say({ type: 'done', id, entries: [], stats: queue.stats() });
    clearInterval(timer);
    port.close();
  }
}

function handle(queue: Queue, request: SpoolRequest): readonly SpooledEntry[] {
  if (request.type === 'read') return queue.read(request.lane, request.limit);
  if (request.type === 'append') append(queue, request);
  if (request.type === 'acknowledge') queue.acknowledge(request.ranges);
  if (request.type === 'start-sending') queue.startSending();
  return [];
}

function append(queue: Queue, { firstTicket, jsons, droppable }: AppendMessage): void {
  jsons.forEach((json, index) => {
    queue.append(json, { ticket: firstTicket + index, droppable: droppable[index] === 'd' });
  });
}

/** Later spools of one agent get higher epochs while its clock goes forward, and different ones always. */
function newEpoch(): number {
  return Date.now() * 1024 + randomInt(1024);
}

function say(reply: SpoolReply): void {
  port.postMessage(reply);
}
