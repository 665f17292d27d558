import { z } from 'zod';
import type { ServerEvent } from '../../core/event.ts';
import { isoTimeOf } from '../../core/iso-time.ts';
import { defineRoute, type Route } from './route.ts';
import { resultAnswer, taskSummary } from './tasks.ts';

export interface EventsPorts {
  subscribe(listener: (event: ServerEvent) => void): () => void;
}

/** A watcher that falls this far behind is cut off: it may come again, and nothing durable depends on it. */
const maxUnreadBytes = 4 * 1024 * 1024;
const keepAliveMs = 15_000;

type Send = (bytes: Uint8Array) => void;

/** Server-sent events (HTML standard, section 9.2): what happens, from now on. */
export function eventsRoutes(ports: EventsPorts): readonly Route[] {
  const watchers = new Watchers(ports);
  return [
    defineRoute({
      name: 'followEvents',
      method: 'get',
      path: '/events',
      errors: [],
      summary:
        'What happens, as server-sent events: results, gaps, tasks handed out, changes of agents, records of sensors, alarms',
      response: z.string(),
      mediaType: 'text/event-stream',
      async handle() {
        return new Response(streamFor(watchers), {
          headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' },
        });
      },
    }),
  ];
}

/** Each event is written once for all who watch: what they have not read yet lies in memory once as well. */
class Watchers {
  readonly #ports: EventsPorts;
  readonly #sends = new Set<Send>();
  #unsubscribe = (): void => {};

  constructor(ports: EventsPorts) {
    this.#ports = ports;
  }

  add(send: Send): void {
    if (this.#sends.size === 0) this.#unsubscribe = this.#ports.subscribe((event) => this.#tell(event));
    this.#sends.add(send);
  }

  remove(send: Send): void {
    if (this.#sends.delete(send) && this.#sends.size === 0) this.#unsubscribe();
  }

  #tell(event: ServerEvent): void {
    const bytes = textBytes(`event: ${event.type}\ndata: ${JSON.stringify(eventAnswer(event))}\n\n`);
    for (const send of this.#sends) send(bytes);
  }
}

const hello = textBytes(': connected\n\n');
const stillHere = textBytes(': still here\n\n');

function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function streamFor(watchers: Watchers): ReadableStream<Uint8Array> {
  let end: (() => void) | undefined;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send: Send = (bytes) => {
          if ((controller.desiredSize ?? 0) > -maxUnreadBytes) return controller.enqueue(bytes);
          end?.();
          // Not closed: what it never reads would wait for it. The listener writes the sentence to the log.
          controller.error('A watcher of events did not keep up and was cut off; it may come again.');
        };
        const keepAlive = setInterval(() => send(stillHere), keepAliveMs);
        end = () => {
          clearInterval(keepAlive);
          watchers.remove(send);
        };
        send(hello);
        watchers.add(send);
      },
      cancel: () => end?.(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 1 }),
  );
}

function eventAnswer(event: ServerEvent): unknown {
  if (event.type === 'result') return { ...event, result: resultAnswer(event.result) };
  if (event.type === 'record') return recordAnswer(event);
  if (event.type === 'state') return { ...event, at: isoTimeOf(event.at) };
  if (event.type === 'tasks') return { ...event, set: event.set.map(taskSummary) };
  return event;
}

/** With null where people need not be told. */
function recordAnswer(event: Extract<ServerEvent, { type: 'record' }>): unknown {
  return { ...event, at: isoTimeOf(event.at), notice: event.notice ?? null };
}
