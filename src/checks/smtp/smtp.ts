import { defineCheck } from '../../core/check.ts';
import { mailCheckParts } from '../../net/dialogue/mail-check.ts';
import { SmtpSession } from '../../net/dialogue/smtp.ts';

/** RFC 5321, 3207 and 8314. */
export const smtp = defineCheck({
  type: 'smtp',
  title: 'SMTP',
  summary: 'Greets a mail server and reads what it offers; goes on in TLS and logs in on request. It sends no mail.',
  ...mailCheckParts({
    ports: { plain: 25, tls: 465 },
    startTls: 'STARTTLS',
    open: (conversation) => new SmtpSession(conversation),
  }),
});
