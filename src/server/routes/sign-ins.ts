import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import { BoundedMap } from '../../core/bounded-map.ts';
import { networkOf } from '../../core/connection-places.ts';
import { longestPassword, shortestPassword, type AccountBook, type SignedIn } from '../accounts/account-book.ts';
import { Quota } from '../../core/quota.ts';
import { roles } from '../store/accounts.ts';
import type { Callers } from './callers.ts';
import { RequestFault } from './problem.ts';
import { defineRoute, type Route } from './route.ts';

export interface SignInsPorts {
  readonly clock: Clock;
  readonly book: AccountBook;
  readonly callers: Pick<Callers, 'cookieName' | 'isSecure'>;
  /** A name or password was wrong. */
  readonly onRefused: (address: string) => void;
}

const personSchema = z.strictObject({ name: z.string(), role: z.enum(roles) }).meta({ id: 'Person' });
const answer = z.strictObject({ person: personSchema });

const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@-]*$/u, { error: 'expected letters, digits, blanks and . _ @ -' });
const password = z.string().min(shortestPassword).max(longestPassword);

/** Attempts from one network: five at once, then one in ten seconds. */
const attempts = { burst: 5, perSecond: 0.1 };
const maxNetworks = 10_000;

/** How people sign in and out. */
export function signInsRoutes(ports: SignInsPorts): readonly Route[] {
  return [...beginningRoutes(ports), ...signedInRoutes(ports)];
}

function beginningRoutes(ports: SignInsPorts): readonly Route[] {
  const { book, callers } = ports;
  const refuseGuesser = guesserLimit(ports.clock);
  return [
    defineRoute({
      name: 'setUp',
      method: 'post',
      path: '/setup',
      allows: 'anybody',
      errors: ['conflict', 'unavailable'],
      summary: 'Make the first account with the key of the link that the server printed, and sign in',
      body: z.strictObject({ key: z.string().max(100), name, password }),
      response: answer,
      async handle({ body: { key, ...credentials }, address }) {
        refuseGuesser(address);
        return signedIn(await book.setUp(key, credentials), callers);
      },
    }),
    defineRoute({
      name: 'signIn',
      method: 'post',
      path: '/sign-in',
      allows: 'anybody',
      errors: ['unavailable'],
      summary: 'Sign in: the answer sets the cookie of a sign-in',
      body: z.strictObject({ name: z.string().max(100), password: z.string().max(longestPassword) }),
      response: answer,
      async handle({ body, address }) {
        refuseGuesser(address);
        const found = await book.signIn(body);
        if (found) return signedIn(found, callers);
        ports.onRefused(address);
        throw new RequestFault('unauthorized', 'name or password is wrong');
      },
    }),
  ];
}

function signedInRoutes({ book, callers }: SignInsPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'getSignIn',
      method: 'get',
      path: '/sign-in',
      errors: ['not-found'],
      summary: 'Who is signed in',
      response: answer,
      async handle({ caller: { person, who, role }, signIn }) {
        if (signIn !== undefined) await book.prolong(signIn);
        return { person: { name: person?.name ?? who, role } };
      },
    }),
    defineRoute({
      name: 'signOut',
      method: 'delete',
      path: '/sign-in',
      allows: 'viewer',
      errors: [],
      summary: 'Sign out: the sign-in ends',
      response: z.strictObject({}),
      async handle({ signIn }) {
        if (signIn !== undefined) await book.signOut(signIn);
        return Response.json({}, { headers: { 'Set-Cookie': cookie(callers, { token: '', maxAgeS: 0 }) } });
      },
    }),
  ];
}

/** @throws {RequestFault} too-many-requests, with how long to wait */
function guesserLimit(clock: Clock): (address: string) => void {
  const quotas = new BoundedMap<string, Quota>(maxNetworks);
  return (address) => {
    const network = networkOf(address);
    const quota = quotas.get(network) ?? new Quota(clock, attempts);
    quotas.set(network, quota);
    const waitS = Math.ceil(quota.take(1) / 1000);
    if (waitS > 0)
      throw new RequestFault('too-many-requests', `too many attempts from ${address}: try again in ${waitS} s`, {
        'Retry-After': String(waitS),
      });
  };
}

function signedIn({ token, person: { name, role } }: SignedIn, callers: SignInsPorts['callers']): Response {
  const headers = { 'Set-Cookie': cookie(callers, { token, maxAgeS: 400 * 86_400 }) };
  return Response.json({ person: { name, role } }, { headers });
}

/** The server knows when the sign-in ends; the cookie only has to live as long. Lax: a link in a message finds the person signed in. */
function cookie(
  { cookieName, isSecure }: SignInsPorts['callers'],
  { token, maxAgeS }: { readonly token: string; readonly maxAgeS: number },
): string {
  const secure = isSecure ? '; Secure' : '';
  return `${cookieName}=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeS}${secure}`;
}
