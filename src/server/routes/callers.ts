import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Person } from '../accounts/account-book.ts';
import { roles, type Role } from '../store/accounts.ts';
import { RequestFault } from './problem.ts';

/** Who asks, and what they may do. */
export interface Principal {
  /** For the audit. */
  readonly who: string;
  readonly role: Role;
  /** Absent for programs. */
  readonly person?: Person;
}

/** Whoever may open the admin socket. */
export const adminSocket: Principal = { who: 'admin socket', role: 'admin' };

export interface CallersParts {
  /** What `Authorization: Bearer` must carry. */
  readonly token: string;
  /** Who is signed in with this token of a sign-in. */
  readonly person: (signIn: string) => Person | undefined;
  /** Whether browsers reach the server over TLS. */
  readonly isSecure: boolean;
  /** A request has come from somebody who may ask. */
  readonly onAuthorised: (request: IncomingMessage) => void;
  readonly addressOf: (request: IncomingMessage) => string;
}

export type Callers = ReturnType<typeof callersBy>;

export function isAtLeast(role: Role, wanted: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(wanted);
}

/** Tells callers by the token of the server, or by the cookie of a sign-in. */
export function callersBy({ token, person, isSecure, onAuthorised, addressOf }: CallersParts) {
  // A cookie with this prefix is this host's own, whatever its neighbours set (RFC 6265bis, section 4.1.3.2).
  const cookieName = isSecure ? '__Host-watchkeeper' : 'watchkeeper';
  return {
    cookieName,
    isSecure,
    address(context: Context): string {
      const request = requestOf(context);
      return request ? addressOf(request) : 'unknown';
    },
    signIn: (context: Context): string | undefined => getCookie(context, cookieName),
    /** Undefined for a caller without a proof. `hadProof`: whether there was one, and it was wrong. */
    of(context: Context): { readonly caller: Principal | undefined; readonly hadProof: boolean } {
      const bearer = bearerOf(context);
      const signIn = getCookie(context, cookieName);
      const found = bearer === undefined ? signIn && personCaller(person(signIn)) : tokenCaller(bearer, token);
      const request = requestOf(context);
      if (found && request) onAuthorised(request);
      return { caller: found || undefined, hadProof: bearer !== undefined || signIn !== undefined };
    },
  };
}

function personCaller(person: Person | undefined): Principal | undefined {
  return person && { who: person.name, role: person.role, person };
}

function tokenCaller(bearer: string, token: string): Principal | undefined {
  return isSame(bearer, token) ? { who: 'api-token', role: 'admin' } : undefined;
}

const readingMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a request may change something. */
export function isWriting(context: Context): boolean {
  return !readingMethods.has(context.req.method);
}

/**
 * A browser sends its cookie with whatever a foreign page asks of us: what changes something must come from a page of ours
 * (Fetch Metadata; RFC 6454 where a browser has none). @throws {RequestFault} forbidden
 */
export function refuseForeignPages(context: Context): void {
  const { req } = context;
  const site = req.header('sec-fetch-site');
  const origin = req.header('origin');
  const isOwn =
    site === undefined ? origin !== undefined && hostOf(origin) === req.header('host') : site === 'same-origin';
  if (!isOwn)
    throw new RequestFault('forbidden', 'expected a request of a page of this server, and it comes from another');
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Undefined in a test that asks the app without a server. */
export function requestOf(context: Context): IncomingMessage | undefined {
  return (context.env as Partial<HttpBindings> | undefined)?.incoming;
}

/** The token of the request (RFC 6750, section 2.1); undefined if it has none. The name of a scheme has no case (RFC 9110, section 11.1). */
export function bearerOf(context: Context): string | undefined {
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(context.req.header('authorization') ?? '')?.[1];
}

/** Takes as long for a token that is nearly right. An empty token is nobody's. */
function isSame(credentials: string, token: string): boolean {
  const given = Buffer.from(credentials);
  const expected = Buffer.from(token);
  return token !== '' && given.length === expected.length && timingSafeEqual(given, expected);
}
