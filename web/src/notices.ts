import { ask } from './api.ts';

export interface Notice {
  readonly id: number;
  readonly agentId: string;
  readonly agent: string;
  readonly severity: string;
  readonly text: string;
  readonly lastAt: string;
  readonly count: number;
  readonly acknowledged: { readonly by: string } | null;
}

/** The newest first. */
export async function listNotices(): Promise<readonly Notice[]> {
  return (await ask<{ readonly notices: readonly Notice[] }>('/notices?limit=200')).notices;
}

/** What nobody has looked at yet. */
export async function openNotices(from: string): Promise<readonly Notice[]> {
  const path = `/notices?open=true&limit=1000&from=${encodeURIComponent(from)}`;
  return (await ask<{ readonly notices: readonly Notice[] }>(path)).notices;
}

export async function acknowledge(id: number, by: string): Promise<void> {
  await ask(`/notices/${id}/acknowledgement`, { method: 'POST', body: { by, note: '' } });
}
