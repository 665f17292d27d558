import { ask } from './api.ts';
import type { Status } from './model.ts';

export interface Incident {
  readonly id: string;
  readonly subject: { readonly kind: string; readonly id: string; readonly name: string };
  readonly state: Status;
  readonly worst: Status;
  readonly verdict: string;
  readonly summary: string;
  readonly scope: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly durationMs: number;
  readonly acknowledged: { readonly by: string; readonly note: string } | null;
  readonly recipients: readonly Recipient[];
}

interface Recipient {
  readonly notifier: string;
  /** The state it was last told; null if it was told nothing. */
  readonly told: Status | null;
  readonly toldAt: string | null;
  readonly held: { readonly reason: string } | null;
}

export interface FullIncident extends Incident {
  readonly facts: readonly { readonly label: string; readonly text: string }[];
  readonly events: readonly {
    readonly seq: number;
    readonly at: string;
    readonly kind: string;
    readonly detail: Readonly<Record<string, unknown>>;
  }[];
}

/** The newest first. */
export async function listIncidents(): Promise<readonly Incident[]> {
  return (await ask<{ readonly incidents: readonly Incident[] }>('/incidents?limit=100')).incidents;
}

export async function getIncident(id: string): Promise<FullIncident> {
  return await ask<FullIncident>(`/incidents/${encodeURIComponent(id)}`);
}

export async function takeIncident(id: string, by: string): Promise<void> {
  await ask(`/incidents/${encodeURIComponent(id)}/acknowledgement`, { method: 'POST', body: { by } });
}
