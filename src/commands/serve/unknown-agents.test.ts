import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../config/config.ts';
import { unknownAgentLines } from './unknown-agents.ts';

const monitor = (name: string, agents: readonly string[]) => ({ name, type: 'icmp', target: 'h', agents });

function linesOf(...monitors: readonly object[]): readonly string[] {
  const { config } = readConfig(JSON.stringify({ monitors }), {});
  return unknownAgentLines(config?.monitors.map(({ spec }) => spec) ?? [], ['local', 'berlin', 'paris']);
}

test('SI6: an agent that nobody knows is said, with what runs nowhere without it', () => {
  assert.deepEqual(
    linesOf(monitor('web', ['berlni']), monitor('both', ['berlni', 'paris']), monitor('ssh', ['berlin'])),
    ['No agent is called "berlni", named by 2 monitors; did you mean berlin? Until it joins web runs nowhere.'],
  );
  assert.deepEqual(
    linesOf(monitor('a', ['oslo']), monitor('b', ['oslo']), monitor('c', ['oslo']), monitor('d', ['oslo'])),
    ['No agent is called "oslo", named by 4 monitors. Until it joins a, b, c and 1 more run nowhere.'],
  );
  assert.deepEqual(linesOf({ name: 'everywhere', type: 'icmp', target: 'h' }), []);
});

test('SI6: of many unknown names some are said, and how many more there are', () => {
  const lines = linesOf(...Array.from({ length: 30 }, (_, index) => monitor(`m${index}`, [`unknown-site-${index}`])));
  assert.equal(lines.length, 21);
  assert.equal(lines.at(-1), '10 more names of agents are unknown.');
});
