import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Account, Accounts, SignIn } from '../store/accounts.ts';
import { AccountBook, signInMs } from './account-book.ts';
import { hashPassword, isPassword } from './password.ts';

const password = 'correct horse battery staple';

/** A store in memory: the book is under test, and the contract of the store is tested beside that. */
function memory(): Accounts & { readonly kept: Map<string, SignIn>; readonly people: Map<string, Account> } {
  const kept = new Map<string, SignIn>();
  const people = new Map<string, Account>();
  return {
    kept,
    people,
    saveAccount: async (account) => void people.set(account.id, account),
    accounts: async () => [...people.values()],
    saveSignIn: async (signIn) => void kept.set(signIn.key, signIn),
    endSignIn: async (key) => void kept.delete(key),
    signIns: async (now) => [...kept.values()].filter(({ expiresAt }) => expiresAt > now),
  };
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

async function bookOver(store: Accounts, time = { now: 1000 }): Promise<AccountBook> {
  const book = new AccountBook({ clock: { now: () => time.now }, store, newId: newSecret, newSecret });
  await book.load();
  return book;
}

describe('the accounts of a server', () => {
  test('begin with the link that it printed, which works once', async () => {
    const book = await bookOver(memory());
    const key = book.setUpKey ?? '';
    await assert.rejects(book.setUp('another', { name: 'Ada', password }), { code: 'usage' });
    const attempts = await Promise.allSettled(['Ada', 'Mallory'].map((name) => book.setUp(key, { name, password })));
    assert.deepEqual(
      attempts.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    assert.equal(book.setUpKey, undefined);
    await assert.rejects(book.setUp(key, { name: 'Eve', password }), { code: 'conflict' });
  });

  test('a set-up that was refused leaves the link as it was', async () => {
    const book = await bookOver(memory());
    const key = book.setUpKey ?? '';
    await assert.rejects(book.setUp(key, { name: 'aaa', password: 'aaaaaaaaaaaa' }), { code: 'usage' });
    assert.equal((await book.setUp(key, { name: 'Ada', password })).person.role, 'admin');
  });

  test('a person is known by the token of the sign-in, over restarts, until that ends', async () => {
    const store = memory();
    const time = { now: 1000 };
    const book = await bookOver(store, time);
    const { token } = await book.setUp(book.setUpKey ?? '', { name: 'Ada', password });
    assert.equal(await book.signIn({ name: 'Ada', password: 'wrong horse battery staple' }), undefined);
    assert.equal(await book.signIn({ name: 'Bob', password }), undefined);
    const second = await book.signIn({ name: 'ADA', password });
    const restarted = await bookOver(store, time);
    assert.equal(restarted.setUpKey, undefined);
    assert.equal(restarted.person(token)?.name, 'Ada');
    assert.equal(restarted.person(`${token}x`), undefined);
    await restarted.signOut(token);
    assert.equal(restarted.person(token), undefined);
    time.now += signInMs - 1;
    assert.equal(restarted.person(second?.token ?? '')?.name, 'Ada');
    time.now += 1;
    assert.equal(restarted.person(second?.token ?? ''), undefined);
  });

  test('a sign-in that is used goes on', async () => {
    const time = { now: 1000 };
    const book = await bookOver(memory(), time);
    const { token } = await book.setUp(book.setUpKey ?? '', { name: 'Ada', password });
    assert.equal(await book.prolong(token), undefined);
    time.now += signInMs - 10;
    assert.equal(await book.prolong(token), time.now + signInMs);
    time.now += 20;
    assert.equal(book.person(token)?.name, 'Ada');
  });

  test('neither passwords nor tokens are kept', async () => {
    const store = memory();
    const book = await bookOver(store);
    const { token } = await book.setUp(book.setUpKey ?? '', { name: 'Ada', password });
    const kept = JSON.stringify([[...store.people.values()], [...store.kept.values()]]);
    assert.ok(!kept.includes(password) && !kept.includes(token));
  });
});

describe('a password', () => {
  test('is kept as argon2id with a salt of its own, and composed letters are one letter', async () => {
    const [one, other] = await Promise.all([hashPassword('Zürich am Morgen'), hashPassword('Zürich am Morgen')]);
    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    assert.notEqual(one, other);
    assert.equal(await isPassword('Zürich am Morgen'.normalize('NFD'), one), true);
    assert.equal(await isPassword('Zurich am Morgen', one), false);
  });

  test('of no account is never right', async () => {
    assert.equal(await isPassword('', undefined), false);
  });

  test('beyond twenty at once is refused, so that the memory of the server stays its own', async () => {
    const results = await Promise.allSettled(Array.from({ length: 25 }, () => isPassword('x', undefined)));
    assert.deepEqual(
      results.map(({ status }) => status),
      [...Array(20).fill('fulfilled'), ...Array(5).fill('rejected')],
    );
  });
});
