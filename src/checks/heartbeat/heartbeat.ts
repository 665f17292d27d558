import { z } from 'zod';
import { defineCheck } from '../../core/check.ts';
import { cronMistake } from '../../core/cron.ts';
import { duration, formatDuration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { failed } from '../../core/outcome.ts';
import { timeZone } from '../../core/time-zone.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

const cron = z
  .string()
  .trim()
  .max(100)
  .superRefine((text, context) => {
    const message = cronMistake(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message, input: text });
  });

/** 20 characters of 64 kinds: 120 bits if they are random. */
const key = z
  .string()
  .regex(/^[\w-]{20,200}$/, 'expected 20 to 200 letters, digits, - or _; `openssl rand -hex 16` makes one');

const options = z
  .strictObject({
    key: key.meta({
      description: 'Secret part of its URLs: SERVER/hb/KEY, and /start, /fail or /EXIT-CODE behind it',
      secret: true,
    }),
    period: duration({ min: 5000, max: 400 * dayMs })
      .optional()
      .meta({
        description: 'Longest time from one success to the next, beside the grace; one day, unless there is `cron`',
      }),
    cron: cron.optional().meta({ description: 'When the job runs, as in a crontab: `0 3 * * *`' }),
    zone: timeZone.default('UTC').meta({ description: 'Time zone of `cron`, and of the times that are told' }),
    grace: duration({ min: 1000, max: 30 * dayMs, default: hourMs }).meta({
      description: 'How long after it is expected a heartbeat is late',
    }),
    runLimit: duration({ min: 1000, max: 30 * dayMs })
      .optional()
      .meta({
        description: 'Longest time from /start to the end of the run; as long as the grace, unless said otherwise',
      }),
  })
  .refine(({ period, cron }) => period === undefined || cron === undefined, {
    path: ['cron'],
    message: 'expected period or cron, got both',
  });

/** Nothing is asked: a job tells the server that it ran, by a URL, and the server's heartbeats make the results. */
export const heartbeat = defineCheck({
  type: 'heartbeat',
  title: 'Heartbeat',
  summary:
    'Waits for a job to tell a server, by a URL, that it started, succeeded or failed; only a server can have it.',
  options,
  metrics: [{ name: 'runMs', unit: 'ms', meaning: 'from the start of the run to its end, where both were told' }],
  defaultTimeoutMs: 1000,
  asks: [],
  targetSyntax: '',
  fromTarget(target) {
    throw new AppError('usage', `expected no target, for its URL is made of its key, got ${JSON.stringify(target)}`);
  },
  targetOf: ({ cron, period = dayMs, zone }) =>
    cron === undefined ? `every ${formatDuration(period)}` : `${cron} ${zone}`,
  run: () =>
    Promise.resolve(
      failed('unsupported', 'A heartbeat is sent by its job and received by a server; nothing can be run.'),
    ),
});
