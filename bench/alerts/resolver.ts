import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon } from './stage.ts';

const address = '127.77.0.1';

/** A resolver of their own for those who are compared: it knows web.test, and can be stopped. Needs root, for port 53 and the mount. */
export class Resolver implements AsyncDisposable {
  readonly #file: string;
  readonly #daemon = new Daemon([
    'dnsmasq',
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--bind-interfaces',
    `--listen-address=${address}`,
    '--address=/test/127.0.0.1',
    '--local-ttl=1',
    '--pid-file=',
  ]);

  private constructor(file: string) {
    this.#file = file;
  }

  static async open(folder: string): Promise<Resolver> {
    const file = join(folder, 'resolv.conf');
    await writeFile(file, `nameserver ${address}\noptions timeout:1 attempts:1\n`);
    const resolver = new Resolver(file);
    resolver.start();
    return resolver;
  }

  start(): void {
    this.#daemon.start();
  }

  async stop(): Promise<void> {
    await this.#daemon.stop();
  }

  /** The same program, in a mount namespace whose resolv.conf is ours. */
  wrap(words: readonly string[]): readonly string[] {
    const script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
    return ['unshare', '--mount', 'sh', '-c', script, this.#file, ...words];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
