import type { ErrorCode } from '../../../core/errors.ts';
import type { Store } from '../store.ts';
import type { Notice } from './database.ts';

/** Which thread answers: the one that may write, or the one that only reads. */
export const writes = [
  'commit',
  'saveAgent',
  'revokeAgent',
  'createJoinToken',
  'consumeJoinToken',
  'saveMonitor',
  'deleteMonitor',
  'assignTasks',
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
  'agents',
  'monitors',
  'verify',
] as const satisfies readonly Method[];

export type Method = Exclude<keyof Store, symbol>;
export type Write = (typeof writes)[number];
export type Read = (typeof reads)[number];

/** What a thread answers with: now, or once it is done. */
export type Operations<Methods extends Method> = {
  readonly [M in Methods]: (...args: Parameters<Store[M]>) => Awaited<ReturnType<Store[M]>> | ReturnType<Store[M]>;
};

export interface ThreadData {
  readonly folder: string;
}

/** `args` are packed by v8.serialize, so that what waits can be counted in bytes. */
export interface Request {
  readonly id: number;
  readonly method: Method | 'close';
  readonly args: Uint8Array<ArrayBuffer>;
}

export type Reply =
  | { readonly type: 'open' }
  | { readonly type: 'notice'; readonly notice: Notice }
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number | undefined; readonly code: ErrorCode; readonly message: string };
