import { command } from './commands.ts';
import type { Conversation } from './conversation.ts';
import { offers, plainResponse, quotedString, secretsOf, type Credentials, type MailSession } from './mail-session.ts';
import { imapGreeting, imapReply, type ServerReply } from './replies.ts';

/** RFC 9051, which servers of RFC 3501 understand too. */
export class ImapSession implements MailSession {
  readonly #conversation: Conversation;
  #commands = 0;
  #isLoggedIn = false;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  async greet(): Promise<void> {
    const expected = { status: ['OK', 'PREAUTH'], to: 'connecting', read: imapGreeting };
    const { status } = await command(this.#conversation, undefined, expected);
    this.#isLoggedIn = status === 'PREAUTH';
  }

  async capabilities(): Promise<readonly string[]> {
    const { lines } = await this.#command('CAPABILITY', 'CAPABILITY');
    const offered = lines.filter((line) => /^CAPABILITY /i.test(line)).flatMap((line) => line.split(' ').slice(1));
    // After PREAUTH it is too late for STARTTLS, though some servers list it (section 7.1.4).
    return this.#isLoggedIn ? offered.filter((name) => name.toUpperCase() !== 'STARTTLS') : offered;
  }

  async startTls(): Promise<void> {
    await this.#command('STARTTLS', 'STARTTLS');
  }

  async logIn(credentials: Credentials, capabilities: readonly string[]): Promise<void> {
    this.#conversation.hide(secretsOf(credentials));
    if (!offers(capabilities, 'AUTH PLAIN')) return await this.#logInByCommand(credentials);
    const tag = this.#nextTag();
    const [to, read] = ['the login', imapReply(tag)];
    await command(this.#conversation, `${tag} AUTHENTICATE PLAIN`, { status: '+', to, read });
    await command(this.#conversation, plainResponse(credentials), { status: 'OK', to, read });
  }

  async leave(): Promise<void> {
    await this.#conversation.writeLast(`${this.#nextTag()} LOGOUT\r\n`);
  }

  async #logInByCommand({ username, password }: Credentials): Promise<void> {
    await this.#command(`LOGIN ${quotedString(username)} ${quotedString(password)}`, 'the login');
  }

  #command(text: string, to: string): Promise<ServerReply> {
    const tag = this.#nextTag();
    return command(this.#conversation, `${tag} ${text}`, { status: 'OK', to, read: imapReply(tag) });
  }

  #nextTag(): string {
    return `a${++this.#commands}`;
  }
}
