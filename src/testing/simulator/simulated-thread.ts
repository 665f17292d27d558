import type { Thread, ThreadEvents, ThreadPort } from '../../core/thread.ts';
import { SimulatedCrash } from '../simulated-disk.ts';
import type { SimulatedProcess } from './simulated-process.ts';

interface Tap<Request, Reply> {
  onRequest?(request: Request): void;
  onReply?(reply: Reply): void;
}

/** How long a message takes from one thread to the other. */
const messageMs = 0.02;

/** A thread of a simulated process: its body runs in this one, and `tap` sees what is said, each where it is heard or said. */
export function simulatedThread<Request, Reply>(
  process: SimulatedProcess,
  body: (port: ThreadPort<Request, Reply>) => void,
  tap: Tap<Request, Reply> = {},
): Thread<Request, Reply> {
  const { world } = process;
  let events: ThreadEvents<Reply> | undefined;
  let onRequest: ((request: Request) => void) | undefined;
  const send = (callback: () => void): void => {
    if (process.effect()) world.after(messageMs, () => process.deliver(callback));
  };
  const port: ThreadPort<Request, Reply> = {
    listen: (listener) => (onRequest = listener),
    post(reply) {
      if (process.isAlive) tap.onReply?.(reply);
      send(() => events?.onMessage(reply));
    },
    close: () => send(() => events?.onExit()),
  };
  const run = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (error instanceof SimulatedCrash) return;
      world.find('no thread breaks', error instanceof Error ? (error.stack ?? error.message) : String(error));
      send(() => {
        events?.onError(error);
        events?.onExit();
      });
    }
  };
  send(() => run(() => body(port)));
  return {
    listen: (listener) => (events = listener),
    post(request) {
      send(() => {
        tap.onRequest?.(request);
        run(() => onRequest?.(request));
      });
    },
  };
}
