import { command, exchange } from './commands.ts';
import type { Conversation } from './conversation.ts';
import { offers, plainResponse, secretsOf, type Credentials, type MailSession } from './mail-session.ts';
import { pop3List, pop3Reply as read } from './replies.ts';

const status = '+OK';

/** RFC 1939, with CAPA (RFC 2449), STLS (RFC 2595) and AUTH (RFC 5034). */
export class Pop3Session implements MailSession {
  readonly #conversation: Conversation;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  async greet(): Promise<void> {
    await command(this.#conversation, undefined, { status, to: 'connecting', read });
  }

  /** A server that does not know CAPA offers nothing that we could name. */
  async capabilities(): Promise<readonly string[]> {
    const reply = await exchange(this.#conversation, 'CAPA', { to: 'CAPA', read: pop3List });
    return reply.status === status ? reply.lines : [];
  }

  async startTls(): Promise<void> {
    await command(this.#conversation, 'STLS', { status, to: 'STLS', read });
  }

  async logIn(credentials: Credentials, capabilities: readonly string[]): Promise<void> {
    this.#conversation.hide(secretsOf(credentials));
    const [conversation, to] = [this.#conversation, 'the login'];
    if (offers(capabilities, 'SASL PLAIN')) {
      await command(conversation, 'AUTH PLAIN', { status: '+', to, read });
      await command(conversation, plainResponse(credentials), { status, to, read });
      return;
    }
    await command(conversation, `USER ${credentials.username}`, { status, to, read });
    await command(conversation, `PASS ${credentials.password}`, { status, to, read });
  }

  async leave(): Promise<void> {
    await this.#conversation.writeLast('QUIT\r\n');
  }
}
