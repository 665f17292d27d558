import { z } from 'zod';
import { isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import { messageSeverities } from '../../core/message.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { withoutSecrets } from '../../core/secrets.ts';
import type { NotifierPlan } from '../../notify/notifier-plan.ts';
import type { NotifierHealth } from '../outbox/notifier-lane.ts';
import type { TestedMessage } from '../outbox/notifier-desk.ts';
import { defineRoute, type Route } from './route.ts';

export interface NotifiersPorts {
  readonly plans: readonly NotifierPlan[];
  healthOf(name: string): NotifierHealth | undefined;
  test(name: string): Promise<readonly TestedMessage[]>;
}

const states = ['working', 'failing', 'broken'] as const;

export const notifierSchema = z
  .strictObject({
    name: z.string(),
    kind: z.string(),
    options: z.record(z.string(), z.unknown()).meta({ description: 'Secrets are ***' }),
    severity: z.enum(messageSeverities),
    tags: z.array(z.string()),
    perMinute: z.int(),
    fallback: z.string().nullable(),
    state: z.enum(states),
    since: isoTimeSchema.nullable().meta({ description: 'Since when it does not work' }),
    answer: z.string().meta({ description: 'What its provider said last of a failure, or of its end' }),
  })
  .meta({ id: 'Notifier' });

export const testedSchema = z.strictObject({
  sent: z.array(
    z.strictObject({
      kind: z.enum(['problem', 'recovery']),
      outcome: z.enum(['delivered', 'retry', 'refused', 'broken']),
      text: z.string().meta({ description: "The provider's answer" }),
    }),
  ),
});

/** The ways to tell people; they are made in a file alone. */
export function notifiersRoutes(ports: NotifiersPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'listNotifiers',
      method: 'get',
      path: '/notifiers',
      errors: [],
      summary: 'Every notifier of the configuration, and whether it works',
      response: z.strictObject({ notifiers: z.array(notifierSchema) }),
      handle: async () => ({ notifiers: ports.plans.map((plan) => notifierAnswer(plan, ports.healthOf(plan.name))) }),
    }),
    defineRoute({
      name: 'testNotifier',
      method: 'post',
      path: '/notifiers/{notifier}/test',
      allows: 'operator',
      errors: ['not-found', 'unavailable'],
      summary: 'Send a problem and its recovery, and say what the provider answers',
      params: z.strictObject({ notifier: z.string() }),
      response: testedSchema,
      handle: async ({ params }) => ({ sent: await ports.test(params.notifier) }),
    }),
  ];
}

function notifierAnswer(plan: NotifierPlan, health: NotifierHealth | undefined): z.output<typeof notifierSchema> {
  const { name, channel, minimumSeverity, tags, perMinute, fallback = null } = plan;
  const { type, options, secrets } = channel;
  return {
    name,
    kind: type.kind,
    // Options that came from YAML are JSON.
    options: withoutSecrets(type.options, options as JsonObject, secrets),
    severity: minimumSeverity,
    tags: [...tags],
    perMinute,
    fallback,
    state: health?.state ?? 'working',
    since: health?.since === undefined ? null : isoTimeOf(health.since),
    answer: health?.text ?? '',
  };
}
