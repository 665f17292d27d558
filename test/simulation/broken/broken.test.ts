import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { variants } from './variants.ts';

const runner = resolve(import.meta.dirname, 'run-variant.ts');

describe('the simulator notices a module that is broken on purpose', () => {
  for (const [index, { name }] of variants.entries()) {
    test(name, () => {
      const args = ['--disable-warning=ExperimentalWarning', runner, String(index)];
      const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      assert.notEqual(stdout.trim(), '', stderr);
      assert.notEqual(stdout.trim(), 'null', 'no seed brought a finding within a minute of CPU time');
    });
  }
});
