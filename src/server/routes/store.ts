import { z } from 'zod';
import { defineRoute, type Route } from './route.ts';

export interface StorePorts {
  backup(file: string): Promise<void>;
  verify(): Promise<readonly string[]>;
}

/** What only the administrator on this machine may ask for: it names files here. */
export function storeRoutes(ports: StorePorts): readonly Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/store/backup',
      summary: 'Write a consistent copy of the store to a new file on the server',
      body: z.strictObject({ file: z.string().min(1).max(4000) }),
      response: z.strictObject({}),
      handle: async ({ body }) => await ports.backup(body.file),
    }),
    defineRoute({
      method: 'get',
      path: '/store/problems',
      summary: 'Read all of the store, and say what is wrong with it',
      response: z.strictObject({ problems: z.array(z.string()) }),
      handle: async () => ({ problems: [...(await ports.verify())] }),
    }),
  ];
}
