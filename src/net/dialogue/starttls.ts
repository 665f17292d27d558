import { askLdap, askPostgres } from './binary-starttls.ts';
import { command } from './commands.ts';
import type { Conversation } from './conversation.ts';
import { ImapSession } from './imap.ts';
import { Pop3Session } from './pop3.ts';
import { ftpReply as read, smtpReply } from './replies.ts';
import { SmtpSession } from './smtp.ts';

export const startTlsProtocols = ['smtp', 'imap', 'pop3', 'ftp', 'lmtp', 'nntp', 'ldap', 'postgres'] as const;
export type StartTlsProtocol = (typeof startTlsProtocols)[number];

/**
 * Reads the greeting and asks to go on in TLS; the handshake is next. A server that does not say that it can is asked all
 * the same, as by openssl s_client. @throws {Failure} assertion, protocol, timeout, closed, reset, too-large
 */
export const negotiateStartTls: Readonly<Record<StartTlsProtocol, (conversation: Conversation) => Promise<void>>> = {
  async smtp(conversation) {
    const session = new SmtpSession(conversation);
    await session.greet();
    await session.capabilities();
    await session.startTls();
  },
  async imap(conversation) {
    const session = new ImapSession(conversation);
    await session.greet();
    await session.startTls();
  },
  async pop3(conversation) {
    const session = new Pop3Session(conversation);
    await session.greet();
    await session.startTls();
  },
  // RFC 4217 section 4.
  async ftp(conversation) {
    await command(conversation, undefined, { status: '220', to: 'connecting', read });
    await command(conversation, 'AUTH TLS', { status: '234', to: 'AUTH TLS', read });
  },
  // RFC 2033 and 3207.
  async lmtp(conversation) {
    await command(conversation, undefined, { status: '220', to: 'connecting', read: smtpReply });
    await command(conversation, 'LHLO watchkeeper', { status: '250', to: 'LHLO', read: smtpReply });
    await command(conversation, 'STARTTLS', { status: '220', to: 'STARTTLS', read: smtpReply });
  },
  // RFC 4642 section 2.2.
  async nntp(conversation) {
    await command(conversation, undefined, { status: ['200', '201'], to: 'connecting', read });
    await command(conversation, 'STARTTLS', { status: '382', to: 'STARTTLS', read });
  },
  ldap: askLdap,
  postgres: askPostgres,
};
