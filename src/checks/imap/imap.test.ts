import { mailCheckContract } from '../mail.contract.ts';
import { imap } from './imap.ts';

mailCheckContract(imap, {
  script: {
    greeting: '* OK ready\r\n',
    replies: {
      CAPABILITY: '* CAPABILITY IMAP4rev1 STARTTLS IDLE LOGINDISABLED\r\nTAG OK done\r\n',
      STARTTLS: 'TAG OK go\r\n',
      LOGOUT: '* BYE\r\nTAG OK\r\n',
    },
    repliesInTls: { CAPABILITY: '* CAPABILITY IMAP4rev1 IDLE\r\nTAG OK done\r\n' },
    other: 'TAG BAD what\r\n',
    startTls: 'STARTTLS',
  },
  offered: 'IDLE',
  login: { [String.raw`LOGIN "SOMEONE" "SE\"CR\\ET"`]: '* 1 EXISTS\r\nTAG OK welcome\r\n' },
  refusal: 'TAG NO WORDS\r\n',
  unwelcome: '* BYE busy\r\n',
});
