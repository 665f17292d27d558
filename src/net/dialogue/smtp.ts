import { command, exchange, refusal } from './commands.ts';
import type { Conversation } from './conversation.ts';
import { asBase64, offers, plainResponse, secretsOf, type Credentials, type MailSession } from './mail-session.ts';
import { smtpReply as read } from './replies.ts';

/** The name by which we introduce ourselves. */
const ourName = 'watchkeeper';

/** RFC 5321, with STARTTLS (RFC 3207) and AUTH (RFC 4954). */
export class SmtpSession implements MailSession {
  readonly #conversation: Conversation;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  async greet(): Promise<void> {
    await command(this.#conversation, undefined, { status: '220', to: 'connecting', read });
  }

  /** A server that does not know EHLO offers nothing (section 3.2). */
  async capabilities(): Promise<readonly string[]> {
    const expected = { to: 'EHLO', read };
    const reply = await exchange(this.#conversation, `EHLO ${ourName}`, expected);
    // The first line has the name of the server.
    if (reply.status === '250') return reply.lines.slice(1);
    // 4yz is no word about EHLO: the server cannot serve anyone now (section 4.2.1).
    if (!reply.status.startsWith('5')) throw refusal(this.#conversation, reply, { ...expected, status: '250' });
    await command(this.#conversation, `HELO ${ourName}`, { status: '250', to: 'HELO', read });
    return [];
  }

  async startTls(): Promise<void> {
    await command(this.#conversation, 'STARTTLS', { status: '220', to: 'STARTTLS', read });
  }

  async logIn(credentials: Credentials, capabilities: readonly string[]): Promise<void> {
    this.#conversation.hide(secretsOf(credentials));
    const done = { status: '235', to: 'the login', read };
    if (!offers(capabilities, 'AUTH LOGIN') || offers(capabilities, 'AUTH PLAIN'))
      return void (await command(this.#conversation, `AUTH PLAIN ${plainResponse(credentials)}`, done));
    const more = { status: '334', to: 'AUTH LOGIN', read };
    await command(this.#conversation, 'AUTH LOGIN', more);
    await command(this.#conversation, asBase64(credentials.username), more);
    await command(this.#conversation, asBase64(credentials.password), done);
  }

  async leave(): Promise<void> {
    await this.#conversation.writeLast('QUIT\r\n');
  }
}
