import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';

const source = resolve(import.meta.dirname, '../../src');

/** Names that may stand for two things, and why. One that stands once again is to be removed from here. */
const allowed: Readonly<Record<string, string>> = {
  options: 'each check type has its options schema in a file of that name',
  Agent: 'the program on its own machine, and what the server keeps of it: two sides of one word',
  AgentAnswer: 'the route writes what the client reads; the client imports nothing of the server',
  Greeting: 'the two sides of one exchange',
  SessionPorts: 'the two sides of one connection',
  JoinToken: 'what the store keeps of it, and what travels',
  Ledger: 'who notes which numbers are settled, on both sides of the line',
  Batch: 'the pipeline adds to a batch of the store what the gateway knows of it',
  EchoOptions: 'options of the check, of the responder and of the ICMP socket, each in its room',
  EchoTally: 'counts of echoes in messages, and of echoes in packets',
  serve: 'the command, and the loop of the store’s thread',
  Message: 'what people are told, and what a WebSocket carries',
  command: 'the notifier that runs a program, and a step of a dialogue',
  Verdict: 'on a file of evidence, and on who is wrong: target, path or observer',
  socketOptions: 'constants of the kernel, and settings of the WebSocket library',
};

/** Every exported name, and the files that give it a meaning. */
function exportedNames(): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  const files = globSync('**/*.ts', { cwd: source }).filter(
    (file) => !/(?:^testing\/|_template\/|\.(?:test|contract)\.ts$)/.test(file),
  );
  for (const file of files) {
    const text = readFileSync(resolve(source, file), 'utf8');
    const found = text.matchAll(/^export (?:async )?(?:function\*?|const|class|interface|type) (\w+)/gm);
    // A schema and the type that it gives share a name in one file.
    for (const name of new Set([...found].map(([, name = '']) => name)))
      names.getOrInsertComputed(name, () => []).push(file);
  }
  return names;
}

describe('one word, one thing', () => {
  const doubled = [...exportedNames()].filter(([, files]) => files.length > 1);

  test('no exported name stands for two things without a reason', () => {
    const unknown = doubled.filter(([name]) => !(name in allowed));
    assert.deepEqual(unknown, [], 'name each by what it is, or give the reason in the list above');
  });

  test('the list holds no name that stands once', () => {
    const names = doubled.map(([name]) => name);
    assert.deepEqual(
      Object.keys(allowed).filter((name) => !names.includes(name)),
      [],
      'remove these from the list above',
    );
  });
});
