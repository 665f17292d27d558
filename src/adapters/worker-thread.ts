import { parentPort, Worker, type WorkerOptions } from 'node:worker_threads';
import { AppError } from '../core/errors.ts';
import type { Thread, ThreadPort } from '../core/thread.ts';

/** Starts a thread whose body is this file; whoever starts it says what it takes and answers. */
export function startThread<Request, Reply>(file: URL, options: WorkerOptions): Thread<Request, Reply> {
  const worker = new Worker(file, options);
  return {
    listen(events) {
      worker.on('message', (reply) => events.onMessage(reply));
      worker.once('error', (error) => events.onError(error));
      worker.once('exit', () => events.onExit());
    },
    post: (request, transfer = []) => worker.postMessage(request, transfer),
  };
}

/** The port of the thread that this is called in. */
export function ownPort<Request, Reply>(): ThreadPort<Request, Reply> {
  const port = parentPort;
  if (port === null) throw new AppError('internal', 'Expected to run in a worker thread.');
  return {
    listen: (onRequest) => void port.on('message', onRequest),
    post: (reply) => port.postMessage(reply, []),
    close: () => port.close(),
  };
}
