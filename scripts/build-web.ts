// Makes dist/web: the dashboard, as a page and what it loads, with what is in a file in its name, and each compressed beside it.
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'rolldown';
import { licencesOf } from './licences.ts';

const folder = 'dist/web';

rmSync(folder, { recursive: true, force: true });
const { output } = await build({
  input: { main: 'web/src/main.tsx' },
  platform: 'browser',
  tsconfig: false,
  transform: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  output: {
    dir: `${folder}/assets`,
    format: 'esm',
    minify: true,
    entryFileNames: '[name]-[hash].js',
    chunkFileNames: '[name]-[hash].js',
  },
});
mkdirSync(`${folder}/assets`, { recursive: true });
const style = asset('style', 'css', ['node_modules/uplot/dist/uPlot.min.css', 'web/src/style.css']);
const icon = asset('icon', 'svg', ['web/icon.svg']);
const [main] = output;
const page = readFileSync('web/index.html', 'utf8')
  .replace('STYLE', style)
  .replace('ICON', icon)
  .replace('SCRIPT', `/assets/${main.fileName}`);
writeFileSync(`${folder}/index.html`, page);
const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
writeFileSync(`${folder}/THIRD-PARTY-LICENCES.txt`, licencesOf(modules).text);
for (const name of globSync('**/*.{html,css,js,svg}', { cwd: folder })) {
  const compressed = brotliCompressSync(readFileSync(`${folder}/${name}`));
  writeFileSync(`${folder}/${name}.br`, compressed);
  console.log(`${name}: ${(compressed.length / 1000).toFixed(1)} kB with Brotli`);
}

/** Writes the files as one; returns its path for browsers. */
function asset(name: string, extension: string, files: readonly string[]): string {
  const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 8);
  const path = `/assets/${name}-${hash}.${extension}`;
  writeFileSync(`${folder}${path}`, text);
  return path;
}
