import { z } from 'zod';
import { url } from '../../net/http/request-options.ts';

const maxTextLength = 1000;

// RFC 6749 appendix A.
const visible = (description: string) =>
  z
    .string()
    .min(1)
    .max(maxTextLength)
    .regex(/^[\x20-\x7e]+$/, 'expected letters, digits and signs of ASCII')
    .meta({ description })
    .optional();

/** Client credentials of OAuth 2 (RFC 6749 section 4.4). */
export const oauth2 = z
  .strictObject({
    tokenUrl: url(['https:', 'http:'], { mayHaveUser: false })
      .optional()
      .meta({ description: 'URL that gives access tokens for client credentials' }),
    clientId: visible('Client at the token URL'),
    clientSecret: z.string().min(1).max(8192).optional().meta({ description: 'Secret of the client', secret: true }),
    scope: visible('Scopes to ask for, with blanks between them'),
    audience: visible('Audience to ask for, where the server wants one'),
  })
  .superRefine(({ tokenUrl, clientId, clientSecret, scope, audience }, context) => {
    const needed = [tokenUrl, clientId, clientSecret];
    const given = [...needed, scope, audience];
    if (given.every((value) => value === undefined) || needed.every((value) => value !== undefined)) return;
    context.addIssue({ code: 'custom', message: 'expected tokenUrl, clientId and clientSecret together' });
  })
  .default({});

export interface ClientCredentials {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string | undefined;
  readonly audience: string | undefined;
}

/** The client that is configured; undefined if none is. */
export function clientOf(given: z.output<typeof oauth2>): ClientCredentials | undefined {
  const { tokenUrl, clientId, clientSecret, scope, audience } = given;
  if (tokenUrl === undefined || clientId === undefined || clientSecret === undefined) return undefined;
  return { tokenUrl, clientId, clientSecret, scope, audience };
}
