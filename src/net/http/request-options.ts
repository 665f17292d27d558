import { z } from 'zod';
import { pattern } from '../../core/pattern.ts';
import { urlMistake } from '../../core/target.ts';

const maxEntries = 50;

/** A URL of one of these schemes. What is wrong with one that holds a password is said without it. */
export const url = (schemes: readonly string[], { mayHaveUser }: { readonly mayHaveUser: boolean }) =>
  z
    .string()
    .trim()
    .max(8192)
    .superRefine((text, context) => {
      const hasUser = holdsUser(text);
      const mistake = hasUser && !mayHaveUser ? userMistake : urlMistake(text, schemes);
      if (mistake === undefined) return;
      const message = hasUser ? `${mistake}, got one with a user or password` : mistake;
      context.addIssue({ code: 'custom', message, ...(!hasUser && { input: text }) });
    });

const userMistake = 'expected user and password as auth, not in the URL';

/** Also in a text that is no URL. */
function holdsUser(text: string): boolean {
  const url = URL.parse(text);
  if (url) return url.username !== '' || url.password !== '';
  return /^(?:[^/?#]*\/\/)?[^/?#]*@/.test(text);
}

/** Framing is ours: a monitor that sets it could make one request look like two. */
const ownHeaders = [
  'connection',
  'content-length',
  'transfer-encoding',
  'te',
  'upgrade',
  'expect',
  'proxy-authorization',
  'keep-alive',
  'proxy-connection',
  'http2-settings',
];

const headerValue = z
  .string()
  .max(8192)
  .regex(/^[^\p{Cc}]*$/u, 'expected a header value without line breaks and control characters');

/** A record of headers; a mistake in a name is reported at that name. */
const headers = <Value extends z.ZodType<string>>(value: Value, reserved: readonly string[]) =>
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
export const requestHeaders = headers(headerValue, ownHeaders).superRefine(({ host }, context) => {
  if (host === undefined || /^(?:[^\s/?#@:[\]]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(host)) return;
  context.addIssue({
    code: 'custom',
    path: ['host'],
    message: 'expected a host, with its port if it needs one',
    input: host,
  });
});

/** Headers to expect, with a part of their value each. */
export const responseHeaders = headers(z.string().max(8192), []);

/** Headers to look at, with a regular expression each. */
export const headerPatterns = headers(pattern, []);
