// A thread of the store: the one that alone writes, or the one that answers questions, so that a long answer delays no commit.
import { randomUUIDv7 } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import { ownPort } from '../../adapters/worker-thread.ts';
import { systemClock as clock } from '../../core/clock.ts';
import { openForReading, openForWriting } from '../../server/store/sqlite/database.ts';
import type { Reply, Request } from '../../server/store/sqlite/messages.ts';
import { readService } from '../../server/store/sqlite/read-service.ts';
import { serve } from '../../server/store/sqlite/serve.ts';
import { writeService } from '../../server/store/sqlite/write-service.ts';
import type { StoreThreadData } from './open-store.ts';

const port = ownPort<Request, Reply>();
// Only open-store.ts starts this thread.
const { folder, service } = workerData as StoreThreadData;
serve({ port, clock }, (say) =>
  service === 'reader'
    ? readService(openForReading(folder), say)
    : writeService({ db: openForWriting(folder, say), folder, clock, newId: randomUUIDv7, say }),
);
