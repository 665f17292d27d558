import { MemoryOutbox } from '../../testing/memory-outbox.ts';
import { outboxContract } from './outbox.contract.ts';

outboxContract('tests, in memory', async () => ({
  outbox: new MemoryOutbox(() => 0),
  async [Symbol.asyncDispose]() {},
}));
