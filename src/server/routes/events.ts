import { z } from 'zod';
import type { ServerEvent } from '../../core/event.ts';
import { noticeOf } from '../../core/record-text.ts';
import { defineRoute, type Route } from './route.ts';
import { resultAnswer, taskSummary } from './tasks.ts';

export interface EventsPorts {
  subscribe(listener: (event: ServerEvent) => void): () => void;
}

/** A watcher that falls this far behind is cut off: it may come again, and nothing durable depends on it. */
const maxUnreadEvents = 10_000;
const keepAliveMs = 15_000;

/** Server-sent events (HTML standard, section 9.2): what happens, from now on. */
export function eventsRoutes(ports: EventsPorts): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/events',
      summary:
        'What happens, as server-sent events: results, gaps, tasks handed out, changes of agents, records of sensors, alarms',
      response: z.string(),
      mediaType: 'text/event-stream',
      async handle() {
        return new Response(streamOf(ports), {
          headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' },
        });
      },
    }),
  ];
}

function streamOf(ports: EventsPorts): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let unsubscribe: (() => void) | undefined;
  let keepAlive: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearInterval(keepAlive);
    unsubscribe?.();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string): void => {
          if ((controller.desiredSize ?? 0) > -maxUnreadEvents) return controller.enqueue(encoder.encode(text));
          end();
          controller.close();
        };
        send(': connected\n\n');
        keepAlive = setInterval(() => send(': still here\n\n'), keepAliveMs);
        unsubscribe = ports.subscribe((event) =>
          send(`event: ${event.type}\ndata: ${JSON.stringify(eventAnswer(event))}\n\n`),
        );
      },
      cancel: end,
    },
    { highWaterMark: 1 },
  );
}

function eventAnswer(event: ServerEvent): unknown {
  if (event.type === 'result') return { ...event, result: resultAnswer(event.result) };
  if (event.type === 'record') return recordAnswer(event);
  if (event.type === 'tasks') return { ...event, set: event.set.map(taskSummary) };
  return event;
}

/** With the sentence for people who watch many machines, or null where they need not be told. */
function recordAnswer(event: Extract<ServerEvent, { type: 'record' }>): unknown {
  const notice = noticeOf(event.record, event.address ?? event.name) ?? null;
  return { ...event, at: new Date(event.at).toISOString(), notice };
}
