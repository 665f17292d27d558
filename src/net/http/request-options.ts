import { z } from 'zod';
import { urlMistake } from '../../core/target.ts';

const maxEntries = 50;

/** A URL of one of these schemes. */
export const url = (schemes: readonly string[]) =>
  z
    .string()
    .trim()
    .max(8192)
    .superRefine((text, context) => {
      const mistake = urlMistake(text, schemes);
      if (mistake !== undefined) context.addIssue({ code: 'custom', message: mistake, input: text });
    });

/** Framing is ours: a monitor that sets it could make one request look like two. */
const ownHeaders = [
  'connection',
  'content-length',
  'transfer-encoding',
  'te',
  'upgrade',
  'expect',
  'proxy-authorization',
];

const headerValue = z
  .string()
  .max(8192)
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'expected a header value without line breaks and control characters');

/** A record of headers; what is wrong with a name is said at that name. */
const headers = (value: z.ZodString, reserved: readonly string[]) =>
  z
    .record(z.string(), value)
    .superRefine((given, context) => {
      const names = Object.keys(given);
      if (names.length > maxEntries)
        context.addIssue({ code: 'custom', message: `expected at most ${maxEntries} headers, got ${names.length}` });
      for (const name of names) {
        const message = headerNameMistake(name, reserved);
        if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message, input: name });
      }
    })
    .transform((given) => Object.fromEntries(Object.entries(given).map(([name, text]) => [name.toLowerCase(), text])))
    .default({});

function headerNameMistake(name: string, reserved: readonly string[]): string | undefined {
  if (!/^[!#$%&'*+.^`|~\w-]{1,100}$/.test(name))
    return `expected a header name of letters, digits and hyphens, got ${JSON.stringify(name)}`;
  return reserved.includes(name.toLowerCase()) ? `the header ${name} is set by Watchkeeper itself` : undefined;
}

/** The `headers` option of every check that sends a request. */
export const requestHeaders = headers(headerValue, ownHeaders);

/** Headers to expect, with a part of their value each. */
export const responseHeaders = headers(z.string().max(8192), []);
