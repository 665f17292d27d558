import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Browsers and proxies do not pipeline; a script may send a few requests ahead. */
const maxAhead = 16;

interface Line {
  /** Resolves when the answer to the request before has been sent. */
  tail: Promise<void>;
  waiting: number;
}

/**
 * Handles the requests of a connection one after the other, as HTTP/1.1 sends their answers: the next begins when the answer to
 * the one before has left. Without it a client that sends thousands and reads nothing fills the memory with answers.
 */
export function oneAtATime(handle: RequestListener): RequestListener {
  const lines = new WeakMap<Socket, Line>();
  return (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const line = lines.get(socket) ?? { tail: Promise.resolve(), waiting: 0 };
    lines.set(socket, line);
    if (line.waiting >= maxAhead) {
      socket.destroy();
      return;
    }
    line.waiting++;
    const turn = line.tail;
    // `close` comes when all of the answer has been handed to the system, or the connection has ended.
    line.tail = new Promise((resolve) => response.once('close', () => resolve()));
    const begin = async (): Promise<void> => {
      await turn;
      line.waiting--;
      if (!socket.destroyed) handle(request, response);
    };
    void begin();
  };
}
