import type { Step } from './dialogue.ts';

export const startTlsProtocols = ['smtp', 'imap', 'pop3', 'ftp'] as const;
export type StartTlsProtocol = (typeof startTlsProtocols)[number];

/** How each protocol is asked to go on in TLS; each answer is waited for to the end of its last line. */
export const startTlsSteps: Readonly<Record<StartTlsProtocol, readonly Step[]>> = {
  // RFC 3207, section 4.
  smtp: [
    { expect: '^220 .*\\n', reject: '^[45]\\d\\d.*\\n' },
    { send: 'EHLO watchkeeper\r\n', expect: '^250 .*\\n', reject: '^[45]\\d\\d.*\\n' },
    { send: 'STARTTLS\r\n', expect: '^220 .*\\n', reject: '^[45]\\d\\d.*\\n' },
  ],
  // RFC 9051, section 6.2.1.
  imap: [
    { expect: '^\\* (OK|PREAUTH) .*\\n', reject: '^\\* BYE .*\\n' },
    { send: 'a1 STARTTLS\r\n', expect: '^a1 OK .*\\n', reject: '^a1 (NO|BAD) .*\\n' },
  ],
  // RFC 2595, section 4.
  pop3: [
    { expect: '^\\+OK.*\\n', reject: '^-ERR.*\\n' },
    { send: 'STLS\r\n', expect: '^\\+OK.*\\n', reject: '^-ERR.*\\n' },
  ],
  // RFC 4217, section 4.
  ftp: [
    { expect: '^220 .*\\n', reject: '^[45]\\d\\d.*\\n' },
    { send: 'AUTH TLS\r\n', expect: '^234 .*\\n', reject: '^[45]\\d\\d.*\\n' },
  ],
};
