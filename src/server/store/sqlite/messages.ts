import type { ErrorCode } from '../../../core/errors.ts';
import type { Committed, Store } from '../store.ts';
import type { PackedBatch } from './batch.ts';
import type { Notice } from './database.ts';

/** Which thread answers: the one that may write, or the one that only reads. */
export const writes = [
  'saveAgent',
  'joinAgent',
  'revokeAgent',
  'removeAgent',
  'saveAgentStates',
  'saveAbsence',
  'createJoinToken',
  'saveMonitor',
  'deleteMonitor',
  'setPaused',
  'assignTasks',
  'beginChain',
  'saveChains',
  'setRooms',
  'saveSession',
  'saveAccount',
  'saveSignIn',
  'endSignIn',
  'addNotice',
  'acknowledge',
  'evaluate',
  'setPolicies',
  'noteAgents',
  'acknowledgeIncident',
  'noteIncident',
  'saveAlertWindow',
  'removeAlertWindow',
  'claim',
  'settle',
  'seal',
  'retain',
  'backup',
] as const satisfies readonly Method[];
export const reads = [
  'received',
  'missing',
  'gaps',
  'results',
  'latest',
  'summaries',
  'absences',
  'agents',
  'agentStates',
  'joinToken',
  'monitors',
  'paused',
  'tasks',
  'measured',
  'chains',
  'lines',
  'records',
  'recordsAfter',
  'rooms',
  'sessions',
  'alarms',
  'accounts',
  'signIns',
  'notices',
  'voices',
  'states',
  'incidents',
  'incident',
  'incidentEvents',
  'alertWindows',
  'stateChanges',
  'waiting',
  'receipt',
  'told',
  'standing',
  'verify',
  'decidedAt',
] as const satisfies readonly Method[];

export type Method = Exclude<keyof Store, symbol>;
export type Write = (typeof writes)[number];
export type Read = (typeof reads)[number];

/** What a thread answers with: now, or once it is done. */
export type Operations<Methods extends Method> = {
  readonly [M in Methods]: (...args: Parameters<Store[M]>) => Awaited<ReturnType<Store[M]>> | ReturnType<Store[M]>;
};

/** The writing thread takes a batch as it travels, and not as it is given to the store. */
export type WriterOperations = Operations<Write> & {
  readonly commit: (batch: PackedBatch) => Promise<Committed>;
};

export interface Request {
  readonly id: number;
  readonly method: Method | 'close';
  readonly args: readonly unknown[];
}

export type Reply =
  | { readonly type: 'open' }
  | { readonly type: 'notice'; readonly notice: Notice }
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number | undefined; readonly code: ErrorCode; readonly message: string };
