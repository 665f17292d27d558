import { setTimeout as wait } from 'node:timers/promises';
import { AppError } from '../../core/errors.ts';
import { serverEvent, type ConsoleEvent } from './server-answers.ts';
import type { ServerClient } from './server-client.ts';

interface FollowerPorts {
  readonly client: ServerClient;
  /** The line is there, the first time or again. Awaited before the first event. */
  readonly onOpen: () => Promise<void>;
  readonly onEvent: (event: ConsoleEvent) => Promise<void>;
  /** The line is gone, or did not come; told once until it is there. */
  readonly onLost: (why: string) => void;
}

const firstDelayMs = 250;
const longestDelayMs = 5000;

/** Follows what happens on a server, and finds it again whenever it is lost, until the signal. */
export async function followEvents(ports: FollowerPorts, signal: AbortSignal): Promise<void> {
  let delayMs = firstDelayMs;
  let isLost = false;
  const position = { lastId: '' };
  const onOpen = async (): Promise<void> => {
    await ports.onOpen();
    [delayMs, isLost] = [firstDelayMs, false];
  };
  while (!signal.aborted) {
    const why = await followOnce({ ...ports, onOpen, position }, signal);
    if (signal.aborted) return;
    if (!isLost) ports.onLost(why);
    isLost = true;
    // Full jitter, so that many consoles do not come back in step.
    await wait(Math.random() * delayMs, undefined, { signal }).catch(() => {});
    delayMs = Math.min(2 * delayMs, longestDelayMs);
  }
}

interface Following extends FollowerPorts {
  /** Where to go on when the line is there again. */
  readonly position: { lastId: string };
}

/** Resolves when the line is lost, to why. */
async function followOnce({ client, onOpen, onEvent, position }: Following, signal: AbortSignal): Promise<string> {
  try {
    for await (const { id, data } of client.events(onOpen, signal, position.lastId)) {
      position.lastId = id;
      const event = serverEvent.safeParse(jsonOf(data));
      if (event.success) await onEvent(event.data);
    }
    return 'the server ended it';
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
