import type { Clock } from '../../../core/clock.ts';
import { AppError } from '../../../core/errors.ts';
import type { ThreadPort } from '../../../core/thread.ts';
import { asAppError, type Notice } from './database.ts';
import type { Reply, Request } from './messages.ts';

export interface Service {
  /** By method; what it returns, or resolves to, is the answer. */
  readonly operations: Readonly<Record<string, (...args: never[]) => unknown>>;
  close(): void;
}

export type StorePort = ThreadPort<Request, Reply>;

/** Opens a service in this thread and answers requests until `close`; the thread then ends, since nothing is left to wait for. */
export function serve(
  { port, clock }: { readonly port: StorePort; readonly clock: Clock },
  open: (say: (notice: Notice) => void) => Service,
): void {
  const reply = (message: Reply): void => port.post(message);
  const fail = (id: number | undefined, error: unknown): void => {
    const { code, message } = asAppError(error);
    reply({ type: 'failed', id, code, message });
  };
  try {
    const service = open((notice) => reply({ type: 'notice', notice }));
    port.listen(({ id, method, args }) => {
      if (method === 'close') {
        service.close();
        // What was settled by closing is answered first.
        clock.after(0, () => port.close());
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
