import { defineCheck } from '../../core/check.ts';
import { ImapSession } from '../../net/dialogue/imap.ts';
import { mailCheckParts } from '../../net/dialogue/mail-check.ts';

/** RFC 9051, and RFC 8314 for its TLS. */
export const imap = defineCheck({
  type: 'imap',
  title: 'IMAP',
  summary: 'Greets an IMAP server and reads what it offers; goes on in TLS and logs in on request. It reads no mail.',
  ...mailCheckParts({
    ports: { plain: 143, tls: 993 },
    startTls: 'STARTTLS',
    open: (conversation) => new ImapSession(conversation),
  }),
});
