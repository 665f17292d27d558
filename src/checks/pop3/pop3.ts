import { defineCheck } from '../../core/check.ts';
import { mailCheckParts } from '../../net/dialogue/mail-check.ts';
import { Pop3Session } from '../../net/dialogue/pop3.ts';

/** RFC 1939, 2449, 2595 and 8314. */
export const pop3 = defineCheck({
  type: 'pop3',
  title: 'POP3',
  summary: 'Greets a POP3 server and reads what it offers; goes on in TLS and logs in on request. It reads no mail.',
  ...mailCheckParts({
    ports: { plain: 110, tls: 995 },
    startTls: 'STLS',
    open: (conversation) => new Pop3Session(conversation),
  }),
});
