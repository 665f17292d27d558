import { globSync, readFileSync } from 'node:fs';

interface Licences {
  /** `name version` of each package, in order. */
  readonly packages: readonly string[];
  /** What each package asks to be handed on with it. */
  readonly text: string;
}

/** The licences of the packages that these modules come from. @throws {Error} if a package has no licence file */
export function licencesOf(modules: readonly string[]): Licences {
  const folders = new Set(modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? []));
  const read = [...folders].map(licenceOf).toSorted((one, other) => one.name.localeCompare(other.name));
  return {
    packages: read.map(({ name }) => name),
    text: read.map(({ name, text }) => `${name}\n\n${text}\n`).join('\n'),
  };
}

function licenceOf(folder: string): { readonly name: string; readonly text: string } {
  // The manifest of an installed package.
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { name: string; version: string };
  const [file] = globSync('{LICEN[CS]E*,licen[cs]e*}', { cwd: folder }).toSorted();
  if (file === undefined) throw new Error(`${folder} has no licence that could be handed on with it`);
  return { name: `${manifest.name} ${manifest.version}`, text: readFileSync(`${folder}/${file}`, 'utf8').trim() };
}
