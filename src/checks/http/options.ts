import { z } from 'zod';
import { dialFields } from '../../core/dial-options.ts';
import { degradedByLatency, latencyLimit } from '../../core/limits.ts';
import { wholeNumber } from '../../core/numbers.ts';
import { strictOption } from '../../core/oddities.ts';
import { parsedText } from '../../core/parsed-text.ts';
import { pattern } from '../../core/pattern.ts';
import { headerPatterns, requestHeaders, responseHeaders, url } from '../../net/http/request-options.ts';
import { checkTlsOptions, tlsFields } from '../../net/tls/options.ts';
import { compileAssertion } from './json-assertion.ts';
import { clientOf, oauth2 } from './oauth2-options.ts';

/** Limits of what a person may configure, so that one monitor cannot take the agent's memory. */
const maxTextLength = 65_536;
const maxEntries = 50;

const texts = z.array(z.string().min(1).max(maxTextLength)).max(maxEntries).default([]);

/** `200` or `200-299`. */
const statusRange = z.coerce.string().refine(
  (text) => {
    const [, low, high = low] = /^([1-9]\d\d)(?:-([1-9]\d\d))?$/.exec(text) ?? [];
    return low !== undefined && Number(low) <= Number(high);
  },
  { error: ({ input }) => `expected a status like 200 or 200-299, got ${JSON.stringify(input)}` },
);

/** Whether a status is in a range as `statusRange` takes it. */
export function isWithin(range: string, status: number): boolean {
  const [low, high = low] = range.split('-').map(Number);
  // A range has one or two numbers: the schema's pattern.
  return status >= low! && status <= high!;
}

const auth = z
  .strictObject({
    user: z
      .string()
      .max(1000)
      .regex(/^[^:]*$/, 'expected a user name without a colon, got one with a colon')
      .optional()
      .meta({ description: 'User name for basic authentication' }),
    password: z.string().max(8192).optional().meta({ description: 'Password for basic authentication', secret: true }),
    token: z
      .string()
      .max(8192)
      .regex(/^[\x21-\x7e]+$/, 'expected a token without spaces')
      .optional()
      .meta({ description: 'Bearer token', secret: true }),
  })
  .refine(
    ({ user, token }) => user === undefined || token === undefined,
    'expected user and password, or a token, not both',
  )
  .refine(({ user, password }) => password === undefined || user !== undefined, 'expected a user with the password')
  .default({});

const tls = z.strictObject(tlsFields).superRefine(checkTlsOptions).prefault({});

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const patterns = z.array(pattern).max(maxEntries).default([]);

const answerTime = 'time for the whole answer, with redirects';

export const options = z
  .strictObject({
    url: url(['http:', 'https:'], { mayHaveUser: false }).meta({ description: 'Full URL, http or https' }),
    method: z.enum(methods).default('GET').meta({ description: 'Request method' }),
    headers: requestHeaders.meta({ description: 'Request headers by name', secret: true }),
    body: z.string().max(1_048_576).optional().meta({ description: 'Request body' }),
    auth,
    oauth2: oauth2.meta({ description: 'OAuth 2' }),
    maxRedirects: wholeNumber(0, 20)
      .default(5)
      .meta({ description: 'How many redirects to follow; 0 takes a redirect as the answer' }),
    status: z
      .array(statusRange)
      .min(1)
      .max(maxEntries)
      .default(['200-299'])
      .meta({ description: 'Statuses that are good: codes and ranges' }),
    contains: texts.meta({ description: 'Texts that the body must contain' }),
    notContains: texts.meta({ description: 'Texts that the body must not contain' }),
    matches: patterns.meta({
      description:
        'Regular expressions (RE2) that must match in the first 256 KiB of the body, or less where they are large',
    }),
    notMatches: patterns.meta({ description: 'Regular expressions (RE2) that must not match in the body' }),
    jsonPath: z
      .array(parsedText(compileAssertion, 'a comparison like $.status == "ok" (RFC 9535)'))
      .max(maxEntries)
      .default([])
      .meta({ description: 'Comparisons on the body as JSON: $.queue < 100' }),
    responseHeaders: responseHeaders.meta({
      description: 'Headers that the response must have, each containing this text',
    }),
    responseHeadersMatch: headerPatterns.meta({
      description: 'Headers that the response must have, each matching this regular expression (RE2)',
    }),
    responseHeadersNotMatch: headerPatterns.meta({
      description: 'Headers that must not match this regular expression (RE2), where the response has them',
    }),
    tls,
    ...dialFields,
    proxy: url(['http:'], { mayHaveUser: true })
      .optional()
      .meta({ description: 'Proxy to go through: http://user:password@host:port', secret: true }),
    httpVersion: z
      .enum(['1.1', '2', 'auto'])
      .default('1.1')
      .meta({ description: 'HTTP version; auto prefers 2 where TLS offers it' }),
    maxBodyBytes: wholeNumber(0, 67_108_864)
      .default(1_048_576)
      .meta({ description: 'How much of the body to read, decoded' }),
    strict: strictOption,
    degraded: degradedByLatency(answerTime),
    down: z
      .strictObject({ latency: latencyLimit.optional().meta({ description: answerTime }) })
      .prefault({})
      .meta({ description: 'Down from' }),
  })
  .refine(({ httpVersion, url }) => httpVersion !== '2' || /^https:/i.test(url), {
    path: ['httpVersion'],
    error: 'expected an https URL for HTTP/2',
  })
  .refine(({ auth, oauth2 }) => !clientOf(oauth2) || (auth.user === undefined && auth.token === undefined), {
    path: ['oauth2'],
    error: 'expected auth or oauth2, not both',
  });

export type HttpOptions = z.output<typeof options>;
