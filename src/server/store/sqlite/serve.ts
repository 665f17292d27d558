import { parentPort } from 'node:worker_threads';
import { AppError } from '../../../core/errors.ts';
import { asAppError, type Notice } from './database.ts';
import type { Reply, Request } from './messages.ts';

export interface Service {
  /** By method; what it returns, or resolves to, is the answer. */
  readonly operations: Readonly<Record<string, (...args: never[]) => unknown>>;
  close(): void;
}

/** Opens a service in this thread and answers requests until `close`; the thread then ends, since nothing is left to wait for. */
export function serve(open: (say: (notice: Notice) => void) => Service): void {
  if (parentPort === null) throw new AppError('internal', 'Expected to run in a worker thread.');
  const port = parentPort;
  const reply = (message: Reply): void => port.postMessage(message, []);
  const fail = (id: number | undefined, error: unknown): void => {
    const { code, message } = asAppError(error);
    reply({ type: 'failed', id, code, message });
  };
  try {
    const service = open((notice) => reply({ type: 'notice', notice }));
    port.on('message', ({ id, method, args }: Request): void => {
      if (method === 'close') {
        service.close();
        // What was settled by closing is answered first.
        setImmediate(() => port.close());
        return;
      }
      answer(service, { method, args }).then(
        (value) => reply({ type: 'done', id, value }),
        (error: unknown) => fail(id, error),
      );
    });
    reply({ type: 'open' });
  } catch (error) {
    fail(undefined, error);
  }
}

async function answer({ operations }: Service, { method, args }: Omit<Request, 'id'>): Promise<unknown> {
  // Both sides are typed by Operations; here the method is only known by name.
  const operation = operations[method] as ((...args: unknown[]) => unknown) | undefined;
  if (operation === undefined) throw new AppError('internal', `This thread has no operation ${method}.`);
  return operation(...args);
}
