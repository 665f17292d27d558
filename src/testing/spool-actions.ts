import fc from 'fast-check';
import type { Lane } from '../protocol/messages.ts';

/** Something that happens in the life of a spool. */
export type Action =
  | { readonly type: 'append'; readonly sizes: readonly number[]; readonly droppable: boolean }
  | { readonly type: 'start-sending' | 'note' | 'reopen' | 'kill' | 'free' | 'copy' | 'set-back' | 'lose-server' }
  | { readonly type: 'read'; readonly lane: Lane; readonly count: number }
  | { readonly type: 'acknowledge'; readonly share: number }
  | { readonly type: 'power-cut'; readonly seed: number }
  | { readonly type: 'crash-after'; readonly operations: number; readonly power: boolean; readonly seed: number }
  | { readonly type: 'fill'; readonly room: number }
  | { readonly type: 'fail'; readonly after: number; readonly times: number; readonly code: 'ENOSPC' | 'EIO' }
  | { readonly type: 'flip'; readonly file: number; readonly bit: number };

const seed = fc.nat();
const size = fc.oneof(fc.integer({ min: 20, max: 400 }), fc.integer({ min: 50_000, max: 250_000 }));
const append = fc.record({
  type: fc.constant('append' as const),
  sizes: fc.array(size, { minLength: 1, maxLength: 8 }),
  droppable: fc.boolean(),
});

export const actions: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: append },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('read' as const),
      lane: fc.constantFrom('live' as const, 'backlog' as const),
      count: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('acknowledge' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom('start-sending' as const, 'note', 'reopen', 'kill', 'free') }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constantFrom('copy' as const, 'set-back', 'lose-server') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('power-cut' as const), seed }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('crash-after' as const),
      operations: fc.nat({ max: 30 }),
      power: fc.boolean(),
      seed,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('fill' as const), room: fc.nat({ max: 300_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('fail' as const),
      after: fc.nat({ max: 12 }),
      times: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 20, max: 200 })),
      code: fc.constantFrom('ENOSPC' as const, 'EIO'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('flip' as const), file: fc.nat({ max: 10 }), bit: fc.nat() }) },
);
