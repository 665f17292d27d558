import type { MonitorPolicy } from '../core/state/policies.ts';

/** A policy for tests: runs every 10 s, is confirmed by two runs. */
export function monitorPolicy(given: Partial<MonitorPolicy> & { readonly id: string }): MonitorPolicy {
  return {
    name: given.id,
    target: `${given.id}.example`,
    causes: [],
    intervalMs: 10_000,
    timeoutMs: 2000,
    isPaused: false,
    agents: ['a'],
    identity: '1',
    reopenMs: 300_000,
    dependsOn: [],
    dependsOnAny: false,
    confirmations: 2,
    degradedConfirmations: 2,
    isUpsideDown: false,
    quorum: 'majority',
    minVoices: 1,
    ...given,
  };
}
