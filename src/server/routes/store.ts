import { z } from 'zod';
import { defineRoute, type Route } from './route.ts';

export interface StorePorts {
  /** The bytes of a backup. @throws {AppError} unavailable */
  backup(): Promise<ReadableStream<Uint8Array>>;
  verify(): Promise<readonly string[]>;
}

/** What only the administrator on this machine may ask for: a backup holds every key of the server. */
export function storeRoutes(ports: StorePorts): readonly Route[] {
  return [
    defineRoute({
      name: 'backupStore',
      errors: ['unavailable'],
      method: 'get',
      path: '/store/backup',
      summary: 'A backup: one file from which another machine is this server',
      response: z.string(),
      mediaType: 'application/x-tar',
      handle: async () => new Response(await ports.backup(), { headers: { 'Content-Type': 'application/x-tar' } }),
    }),
    defineRoute({
      name: 'listStoreProblems',
      method: 'get',
      path: '/store/problems',
      errors: ['unavailable'],
      summary: 'Read all of the store, and say what is wrong with it',
      response: z.strictObject({ problems: z.array(z.string()) }),
      handle: async () => ({ problems: [...(await ports.verify())] }),
    }),
  ];
}
