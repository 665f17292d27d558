import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { quoted } from '../../core/quoted.ts';
import type { Account, Accounts, Role } from '../store/accounts.ts';
import { hashPassword, isPassword } from './password.ts';

interface BookParts {
  readonly clock: Pick<Clock, 'now'>;
  readonly store: Accounts;
  /** A new UUID v7. */
  readonly newId: () => string;
  /** A secret of 256 bits that nobody can guess, as text for URLs and cookies. */
  readonly newSecret: () => string;
}

/** Who is signed in. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
}

export interface SignedIn {
  /** For the browser alone. */
  readonly token: string;
  readonly person: Person;
  readonly expiresAt: number;
}

interface Credentials {
  readonly name: string;
  readonly password: string;
}

/** So long after it was used last a sign-in ends; a person who looks every week stays signed in. */
export const signInMs = 30 * 86_400_000;
/** A sign-in is prolonged when so much of it has passed. */
const prolongAfterMs = 86_400_000;

/** NIST SP 800-63B-4 asks for 15 where a password is all there is, and for no rules on its characters; ASVS 5.0 for 8 at least. */
export const shortestPassword = 12;
export const longestPassword = 200;

/** The people who may use the server, and where they are signed in. Of a sign-in only the hash of its token is kept. */
export class AccountBook {
  readonly #parts: BookParts;
  readonly #accounts = new Map<string, Account>();
  readonly #signIns = new Map<string, { readonly accountId: string; readonly expiresAt: number }>();
  /** Whoever has it may make the first account; only a server without accounts has one. */
  #setUpKey: string | undefined;

  constructor(parts: BookParts) {
    this.#parts = parts;
  }

  async load(): Promise<void> {
    const { store, clock, newSecret } = this.#parts;
    for (const account of await store.accounts()) this.#accounts.set(account.id, account);
    for (const { key, ...signIn } of await store.signIns(clock.now())) this.#signIns.set(key, signIn);
    if (this.#accounts.size === 0) this.#setUpKey = newSecret();
  }

  /** Undefined once there is an account. It is another after each start. */
  get setUpKey(): string | undefined {
    return this.#setUpKey;
  }

  /** Makes the first account, an admin's, and signs it in. @throws {AppError} conflict, usage */
  async setUp(key: string, credentials: Credentials): Promise<SignedIn> {
    const expected = this.#setUpKey;
    if (expected === undefined) throw new AppError('conflict', 'this server has accounts already: sign in');
    if (hashOf(key) !== hashOf(expected))
      throw new AppError('usage', 'this link is not the one that the server printed when it last started');
    // Used up before anything is waited for: of two at the same time one makes the account.
    this.#setUpKey = undefined;
    try {
      const account = await this.add({ ...credentials, role: 'admin' });
      return await this.#begin(account);
    } catch (error) {
      if (this.#accounts.size === 0) this.#setUpKey = expected;
      throw error;
    }
  }

  /** @throws {AppError} conflict, when the name is taken; usage, for a password that is too short */
  async add({ name, password, role }: Credentials & { readonly role: Role }): Promise<Account> {
    const { store, clock, newId } = this.#parts;
    if (this.#named(name)) throw new AppError('conflict', `there is an account ${quoted(name)} already`);
    if (password.toLowerCase().includes(name.toLowerCase()) || new Set(password).size < 4)
      throw new AppError(
        'usage',
        'expected a password that is not the name and has more than three different characters',
      );
    const passwordHash = await hashPassword(password);
    const account: Account = { id: newId(), name: name.normalize('NFC'), role, passwordHash, createdAt: clock.now() };
    await store.saveAccount(account);
    this.#accounts.set(account.id, account);
    return account;
  }

  /** Undefined for a wrong name or password, which are not told apart. @throws {AppError} unavailable */
  async signIn({ name, password }: Credentials): Promise<SignedIn | undefined> {
    const account = this.#named(name);
    const isRight = await isPassword(password, account?.passwordHash);
    return account && isRight ? await this.#begin(account) : undefined;
  }

  /** Who has this token; undefined if its sign-in has ended. */
  person(token: string): Person | undefined {
    const signIn = this.#signIns.get(hashOf(token));
    if (!signIn || signIn.expiresAt <= this.#parts.clock.now()) return undefined;
    return this.#personOf(signIn.accountId);
  }

  /** Puts the end of a sign-in off, where that is due: resolves to the new end. */
  async prolong(token: string): Promise<number | undefined> {
    const { store, clock } = this.#parts;
    const key = hashOf(token);
    const signIn = this.#signIns.get(key);
    const now = clock.now();
    if (!signIn || signIn.expiresAt - now > signInMs - prolongAfterMs) return undefined;
    const prolonged = { accountId: signIn.accountId, expiresAt: now + signInMs };
    this.#signIns.set(key, prolonged);
    await store.saveSignIn({ key, createdAt: now, ...prolonged });
    return prolonged.expiresAt;
  }

  async signOut(token: string): Promise<void> {
    const key = hashOf(token);
    this.#signIns.delete(key);
    await this.#parts.store.endSignIn(key);
  }

  async #begin(account: Account): Promise<SignedIn> {
    const { store, clock, newSecret } = this.#parts;
    const token = newSecret();
    const key = hashOf(token);
    const createdAt = clock.now();
    const signIn = { accountId: account.id, expiresAt: createdAt + signInMs };
    await store.saveSignIn({ key, createdAt, ...signIn });
    this.#signIns.set(key, signIn);
    const { id, name, role } = account;
    return { token, person: { id, name, role }, expiresAt: signIn.expiresAt };
  }

  #personOf(accountId: string): Person | undefined {
    const account = this.#accounts.get(accountId);
    return account && { id: account.id, name: account.name, role: account.role };
  }

  /** Case does not tell names apart. */
  #named(name: string): Account | undefined {
    const wanted = name.normalize('NFC').toLowerCase();
    return [...this.#accounts.values()].find((account) => account.name.toLowerCase() === wanted);
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
