// The spool's own thread.
import { workerData } from 'node:worker_threads';
import { ownPort } from '../../adapters/worker-thread.ts';
import { runSpool } from '../../agent/spool/body.ts';
import { folderDisk } from '../../agent/spool/disk.ts';
import type { SpoolReply, SpoolRequest } from '../../agent/spool/messages.ts';
import { systemClock } from '../../core/clock.ts';
import type { SpoolThreadData } from './open-spool.ts';

const port = ownPort<SpoolRequest, SpoolReply>();
// Only open-spool.ts starts this thread.
const { folder, ...sizes } = workerData as SpoolThreadData;
try {
  runSpool(port, { ...sizes, disk: folderDisk(folder), clock: systemClock, random: Math.random });
} catch (error) {
  const why = error instanceof Error ? error.message : String(error);
  port.post({ type: 'refused', message: `The spool in ${folder} cannot be opened. ${why}` });
  port.close();
}
