import { signal } from '@preact/signals';
import { ask, Problem } from './api.ts';
import { model, modelOf, type Overview, type Status } from './model.ts';
import { person } from './person.ts';

/** Since when nothing has come from the server, epoch milliseconds; undefined while it is heard. */
export const silentSince = signal<number | undefined>(undefined);

/** What happened lately, newest first, for people who look. */
export const happened = signal<readonly Happening[]>([]);

export interface Happening {
  readonly at: number;
  readonly state: Status;
  readonly monitorId: string;
  readonly monitor: string;
  readonly agent: string;
  readonly message: string;
}

interface StateEvent {
  readonly taskId: string;
  readonly monitorId: string;
  readonly monitor: string;
  readonly name: string;
  readonly state: Status;
  readonly before: Status;
  readonly at: string;
  readonly message: string;
}

/** Latencies in lists are as old as this at most. */
const freshEveryMs = 30_000;
const soonMs = 300;
const againMs = 2000;
const maxHappenings = 50;

let source: EventSource | undefined;
let again: ReturnType<typeof setTimeout> | undefined;
let soon: ReturnType<typeof setTimeout> | undefined;
let regular: ReturnType<typeof setInterval> | undefined;

// A browser that loses its network says so long before a request fails.
addEventListener('offline', () => (silentSince.value ??= Date.now()));
addEventListener('online', () => source && openFeed());

/** Shows how things are, and goes on with what changes. */
export function openFeed(): void {
  closeFeed();
  const feed = new EventSource('/api/v1/events?snapshot=false&kind=state,transition,incident,agent,tasks');
  feed.addEventListener('open', () => {
    silentSince.value = undefined;
    refreshSoon();
  });
  feed.addEventListener('error', () => {
    silentSince.value ??= Date.now();
    // What a browser gives up it does not open again by itself.
    if (feed.readyState === EventSource.CLOSED) again = setTimeout(openFeed, againMs);
  });
  feed.addEventListener('state', ({ data }) => takeState(JSON.parse(String(data)) as StateEvent));
  for (const kind of ['transition', 'incident', 'agent', 'tasks', 'lost']) feed.addEventListener(kind, refreshSoon);
  source = feed;
  regular = setInterval(() => document.hidden || refreshSoon(), freshEveryMs);
}

export function closeFeed(): void {
  source?.close();
  source = undefined;
  clearInterval(regular);
  clearTimeout(soon);
  clearTimeout(again);
}

function refreshSoon(): void {
  clearTimeout(soon);
  soon = setTimeout(() => void refresh(), soonMs);
}

export async function refresh(): Promise<void> {
  try {
    model.value = modelOf(await ask<Overview>('/overview'));
    silentSince.value = undefined;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) person.value = null;
    else silentSince.value ??= Date.now();
  }
}

function takeState({ taskId, monitorId, monitor, name: agent, state, before, at, message }: StateEvent): void {
  const time = Date.parse(at);
  const voice = model.value?.voices.get(taskId);
  if (voice && model.value) {
    Object.assign(voice, { state, since: time, message });
    model.value = { ...model.value };
  }
  // The first result after a start is no news.
  if (before === 'unknown' && state === 'up') return;
  happened.value = [{ at: time, state, monitorId, monitor, agent, message }, ...happened.value].slice(0, maxHappenings);
}
