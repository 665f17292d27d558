import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerEvent } from '../../core/event.ts';
import { InProcessBus } from './in-process.ts';

function gap(missing: number): ServerEvent {
  return { type: 'gap', agentId: 'a', cause: 'overflow', missing };
}

test('what a listener publishes comes after what it was told, for every listener; one that ended hears no more', () => {
  const bus = new InProcessBus();
  const heard: string[] = [];
  const end = bus.subscribe((event) => {
    heard.push(`first ${JSON.stringify(event)}`);
    if (event.type === 'gap' && event.missing === 1) bus.publish(gap(2));
  });
  bus.subscribe((event) => heard.push(`second ${JSON.stringify(event)}`));
  bus.publish(gap(1));
  end();
  bus.publish(gap(3));
  const [one, two, three] = [gap(1), gap(2), gap(3)].map((event) => JSON.stringify(event));
  assert.deepEqual(heard, [`first ${one}`, `second ${one}`, `first ${two}`, `second ${two}`, `second ${three}`]);
});
