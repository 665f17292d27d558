import { z } from 'zod';
import { duration } from '../core/duration.ts';
import { quorumWords } from '../core/state/quorum.ts';
import type { AlertOptions } from '../core/monitor-spec.ts';
import type { NotifyStep } from '../core/state/policies.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
const notifierName = z.string().trim().min(1).max(200);
const after = duration({ min: 0, max: 7 * dayMs });

const notifyStep = z.strictObject({
  notifier: notifierName.meta({ description: 'Name of a notifier' }),
  after: after.optional().meta({ description: 'How long after the confirmation it is told' }),
  repeat: duration({ min: minuteMs, max: 7 * dayMs })
    .optional()
    .meta({ description: 'Time from one reminder to the next, until somebody takes the incident' }),
});

/** What a monitor may also take from `defaults:`. */
export const sharedAlertShape = {
  confirmations: z.int().min(1).max(20).optional().meta({
    description: 'So many runs of an agent in a row must fail before it counts; 2, unless said otherwise',
    example: '3',
  }),
  retryInterval: duration({ min: 1000, max: dayMs }).optional().meta({
    description:
      'Time to the next run after one that failed, until it is confirmed; a quarter of the interval, at most 20s',
    example: '5s',
  }),
  quorum: z
    .union([z.enum(quorumWords), z.int().min(1).max(1000)])
    .optional()
    .meta({
      description:
        'How many of the agents that have something to say must see a failure: any, majority, all or a number; majority, unless said otherwise',
      example: 'any',
    }),
  minVoices: z.int().min(1).max(1000).optional().meta({
    description: 'With fewer agents that have something to say the monitor is unknown; 1, unless said otherwise',
    example: '2',
  }),
  notify: z
    .array(z.union([notifierName, notifyStep]))
    .max(50)
    .optional()
    .meta({
      description:
        'Names of notifiers, or mappings of notifier, after and repeat; one with a time after which it is told is an escalation. Every notifier, unless said otherwise',
      example: '[ops-mail, { notifier: phone, after: 15m }]',
    }),
  reopen: duration({ min: 0, max: dayMs }).optional().meta({
    description:
      'A failure so soon after the end of an incident is the same one; 5m or three intervals, whichever is longer, unless said otherwise',
    example: '10m',
  }),
};

/** What only a monitor itself may say. */
export const ownAlertShape = {
  dependsOn: z.array(z.string().trim().min(1).max(200)).min(1).max(20).optional().meta({
    description:
      'Names or ids of the monitors on the way to it: as long as they are down as the same agent sees it, nobody is told of this one',
    example: '[gateway]',
  }),
  dependsOnAny: z.boolean().optional().meta({
    description: 'Whether one of several in dependsOn is enough; all of them must be down, unless said otherwise',
    example: 'yes',
  }),
  upsideDown: z.boolean().optional().meta({
    description:
      'Whether the target is expected not to answer: up counts as down and the reverse; unknown stays unknown',
    example: 'yes',
  }),
};

const schema = z.object({ ...sharedAlertShape, ...ownAlertShape });

/** The alert options of an entry, if it has any. */
export function alertOptionsOf(entry: z.output<typeof schema>): { readonly alert?: AlertOptions } {
  const { confirmations, retryInterval, quorum, minVoices, notify, reopen, dependsOn, dependsOnAny, upsideDown } =
    entry;
  const options: AlertOptions = {
    ...(confirmations !== undefined && { confirmations }),
    ...(retryInterval !== undefined && { retryIntervalMs: retryInterval }),
    ...(quorum !== undefined && { quorum }),
    ...(minVoices !== undefined && { minVoices }),
    ...(notify !== undefined && { notify: stepsOf(notify) }),
    ...(reopen !== undefined && { reopenMs: reopen }),
    ...(dependsOn !== undefined && { dependsOn }),
    ...(dependsOnAny !== undefined && { dependsOnAny }),
    ...(upsideDown !== undefined && { isUpsideDown: upsideDown }),
  };
  return Object.keys(options).length === 0 ? {} : { alert: options };
}

type WrittenSteps = NonNullable<z.output<typeof schema>['notify']>;

/** In the order in which they are told; each that is told later is a further step. */
function stepsOf(written: WrittenSteps): NonNullable<AlertOptions['notify']> {
  const steps = written.map((one) => (typeof one === 'string' ? { notifier: one } : one));
  const times = [...new Set(steps.map(({ after = 0 }) => after))].toSorted((a, b) => a - b);
  // The first time is no escalation, also where it is not at once.
  return steps.map((step) => stepOf(step, times));
}

function stepOf({ notifier, after = 0, repeat }: z.output<typeof notifyStep>, times: readonly number[]): NotifyStep {
  const step = times.indexOf(after);
  return repeat === undefined
    ? { notifier, step, afterMs: after }
    : { notifier, step, afterMs: after, repeatMs: repeat };
}
