// Makes dist/: beside the dashboard (scripts/build-web.ts) the program as bundles that any Node 26 runs, with nothing beside it to install. Commands stay files of their own,
// loaded when they run.
import { globSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'rolldown';
import { licencesOf } from './licences.ts';

const input = {
  main: 'src/main.ts',
  'store-thread': 'src/commands/serve/store-thread.ts',
  'spool-thread': 'src/commands/agent/spool-thread.ts',
};

for (const name of globSync('dist/*', { exclude: ['dist/web'] })) rmSync(name, { recursive: true });
const { output } = await build({
  input,
  platform: 'node',
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    sourcemapExcludeSources: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    comments: { legal: false, annotation: false, jsdoc: false },
  },
});
const chunks = output.filter((file) => file.type === 'chunk');
const { text, packages } = licencesOf(chunks.flatMap(({ moduleIds }) => moduleIds));
writeFileSync('dist/THIRD-PARTY-LICENCES.txt', text);
const kilobytes = chunks.reduce((sum, { code }) => sum + code.length, 0) / 1024;
console.log(`dist/: ${chunks.length} bundles, ${kilobytes.toFixed(0)} KiB; in them ${packages.join(', ')}`);
