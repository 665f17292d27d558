export type NameSource = 'files' | 'dns';

/** Services of glibc that ask DNS servers, or a daemon that does. */
const sourceOfService: Readonly<Record<string, NameSource>> = { files: 'files', dns: 'dns', resolve: 'dns' };

/** Where names are looked up and in which order: the `hosts:` line of nsswitch.conf(5); without one, files and then DNS. */
export function parseNameSources(text: string): readonly NameSource[] {
  const line = text.split('\n').find((one) => /^\s*hosts\s*:/.test(one));
  const services = (line ?? '').replace(/#.*/, '').replace(/^.*?:/, '').split(/\s+/);
  const sources = services.flatMap((service) => sourceOfService[service] ?? []);
  return sources.length > 0 ? [...new Set(sources)] : ['files', 'dns'];
}
