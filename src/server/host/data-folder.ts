import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { createCertificate, type SelfMadeCertificate } from '../../protocol/certificate.ts';
import { createIdentity } from '../../protocol/identity.ts';
import { replaceFile } from '../../sys/atomic-file.ts';
import type { ServerIdentity } from '../gateway/greeting.ts';

const identityFile = z.strictObject({ serverId: z.uuid(), publicKey: z.string(), privateKeyPem: z.string() });
/** What RFC 6750 allows in a Bearer token, and too long to be guessed. */
const tokenForm = /^[\w.~+/=-]{20,200}$/;
const certificateFile = z.strictObject({ certificate: z.string(), key: z.string() });

/** Where the server keeps what is its own; readable by its user only. */
export class DataFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get database(): string {
    return join(this.path, 'watchkeeper.db');
  }

  /** The admin socket: whoever may open it is an administrator. */
  get adminSocket(): string {
    return join(this.path, 'admin.sock');
  }

  /** What sensors wrote, as files for people. */
  get clients(): string {
    return join(this.path, 'clients');
  }

  /** What the local agent may reach. */
  get localEgress(): string {
    return join(this.path, 'local-egress.json');
  }

  get localAgent(): string {
    return join(this.path, 'local-agent');
  }

  get hasIdentity(): boolean {
    return existsSync(join(this.path, 'server.json'));
  }

  /** Who this server is. Agents pin its key, so it is made once. */
  identity(): ServerIdentity {
    return this.#keep('server.json', identityFile, () => ({ serverId: randomUUIDv7(), ...createIdentity() }));
  }

  /** A certificate for listening beyond loopback, where none was given. */
  certificate(now: number): SelfMadeCertificate {
    return this.#keep('tls.json', certificateFile, () => createCertificate('watchkeeper', now));
  }

  /** The token of the HTTP interface. @throws {AppError} invalid-config, when the file holds none: an empty one would let everybody in */
  apiToken(): string {
    const file = join(this.path, 'api-token');
    if (!existsSync(file)) replaceFile(file, `wka_${randomBytes(32).toString('base64url')}\n`);
    const token = readFileSync(file, 'utf8').trim();
    if (tokenForm.test(token)) return token;
    const found = token === '' ? 'nothing' : `${token.length} characters`;
    throw new AppError(
      'invalid-config',
      `${file}: expected a token of 20 to 200 letters, digits and -._~+/=, got ${found}; without the file a new token is made`,
    );
  }

  #keep<Value>(name: string, schema: z.ZodType<Value>, make: () => Value): Value {
    const file = join(this.path, name);
    if (!existsSync(file)) replaceFile(file, `${JSON.stringify(make())}\n`);
    const text = readFileSync(file, 'utf8');
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      const next = 'Restore it from a backup: agents know this server by it.';
      throw new AppError('invalid-config', `${file} is not what this server wrote. ${next}`, { cause: error });
    }
  }
}
