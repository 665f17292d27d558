import type { HttpOptions } from './options.ts';

/** RFC 7617. */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** The authorization header of these options, or none. */
export function authorizationOf({ user, password = '', token }: HttpOptions['auth']): Readonly<Record<string, string>> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  return user === undefined ? {} : { authorization: basicAuthorization(user, password) };
}
