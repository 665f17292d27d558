import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import { quoted } from '../../core/quoted.ts';
import type { Say } from '../../core/say.ts';
import { FaultLog } from '../gateway/fault-log.ts';

interface AuditParts {
  readonly clock: Clock;
  /** A line for the operator. */
  readonly say: Say;
  readonly addressOf: (request: IncomingMessage) => string;
}

/** What was done over the HTTP interface, and by whom; for `/metrics`. */
export interface AuditCounts {
  readonly failedLogins: number;
  readonly writes: number;
}

const longestPath = 200;

/** Tells the operator who did what, and who was let in to nothing: a line for each change, one in ten minutes for each guesser. */
export class Audit {
  readonly #parts: AuditParts;
  readonly #guesses: FaultLog;
  #failedLogins = 0;
  #writes = 0;

  constructor(parts: AuditParts) {
    this.#parts = parts;
    this.#guesses = new FaultLog({ clock: parts.clock, say: parts.say, event: 'audit' });
  }

  get counts(): AuditCounts {
    return { failedLogins: this.#failedLogins, writes: this.#writes };
  }

  /** A request without a token is a mistake rather than a guess, and both are counted. */
  failedLogin(request: IncomingMessage | undefined, hadToken: boolean): void {
    this.#failedLogins++;
    const address = this.#addressOf(request);
    const what = hadToken ? 'a wrong token' : 'no token';
    this.#guesses.tell(`${address} ${what}`, `Audit: a request from ${address} with ${what} was refused.`);
  }

  wrongPassword(address: string): void {
    this.#failedLogins++;
    const what = 'a wrong name or password';
    this.#guesses.tell(`${address} ${what}`, `Audit: somebody at ${address} gave ${what}.`);
  }

  /** `who`: the name of the person or of the token, or the admin socket. */
  write(who: string, request: IncomingMessage | undefined, done: Done): void {
    this.#writes++;
    const { method, path, status } = done;
    const shown = quoted(path, longestPath).slice(1, -1);
    const result = status < 400 ? 'done' : 'refused';
    const from = request ? ` at ${this.#addressOf(request)}` : '';
    this.#parts.say(`Audit: ${who}${from}: ${method} ${shown}: ${result} (${status}).`, { event: 'audit' });
  }

  #addressOf(request: IncomingMessage | undefined): string {
    return request ? this.#parts.addressOf(request) : 'this machine';
  }
}

interface Done {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}
