import { signal } from '@preact/signals';
import { ask, Problem } from './api.ts';

export interface Person {
  readonly name: string;
  readonly role: 'viewer' | 'operator' | 'admin';
}

interface Answer {
  readonly person: Person;
}

/** Who is signed in: null for nobody, undefined until the server has said. */
export const person = signal<Person | null | undefined>(undefined);

/** The key of the link that the server printed: it makes the first account. */
export const setUpKey = signal(new URLSearchParams(location.hash.slice(1)).get('setup') ?? undefined);

export async function findPerson(): Promise<void> {
  try {
    person.value = (await ask<Answer>('/sign-in')).person;
    setUpKey.value = undefined;
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    person.value = null;
  }
}

interface Credentials {
  readonly name: string;
  readonly password: string;
}

/** @throws {Problem} with the sentence of the server */
export async function signIn(credentials: Credentials): Promise<void> {
  const key = setUpKey.value;
  const answer =
    key === undefined
      ? await ask<Answer>('/sign-in', { method: 'POST', body: credentials })
      : await ask<Answer>('/setup', { method: 'POST', body: { key, ...credentials } });
  setUpKey.value = undefined;
  history.replaceState(null, '', location.pathname + location.search);
  person.value = answer.person;
}

export async function signOut(): Promise<void> {
  await ask('/sign-in', { method: 'DELETE' });
  person.value = null;
}

export function may(role: 'operator' | 'admin'): boolean {
  const has = person.value?.role;
  return has === 'admin' || has === role;
}
