import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Account, SignIn } from './accounts.ts';
import type { StorePlace } from './store.contract.ts';

const start = Date.UTC(2026, 10, 2, 8);
const ada: Account = { id: 'a', name: 'Ada', role: 'admin', passwordHash: '$argon2id$', createdAt: start };
const signIn: SignIn = { key: 'k', accountId: 'a', createdAt: start, expiresAt: start + 1000 };

/** What every store keeps of people. Called from the test of each. */
export function accountsContract(name: string, makePlace: () => Promise<StorePlace>): void {
  test(`the ${name} store keeps accounts and sign-ins until they expire or are ended`, async () => {
    await using place = await makePlace();
    {
      await using store = await place.open();
      await store.saveAccount({ ...ada, role: 'viewer' });
      await store.saveAccount(ada);
      await store.saveSignIn(signIn);
      await store.saveSignIn({ ...signIn, key: 'other' });
      await store.endSignIn('other');
      await store.endSignIn('none');
    }
    await using store = await place.open();
    assert.deepEqual(await store.accounts(), [ada]);
    assert.deepEqual(await store.signIns(start), [signIn]);
    assert.deepEqual(await store.signIns(start + 1000), []);
  });
}
