import { mailCheckContract } from '../mail.contract.ts';
import { pop3 } from './pop3.ts';

mailCheckContract(pop3, {
  script: {
    greeting: '+OK ready\r\n',
    replies: { CAPA: '+OK\r\nSTLS\r\nUIDL\r\n.\r\n', STLS: '+OK go\r\n', QUIT: '+OK\r\n' },
    repliesInTls: { CAPA: '+OK\r\nUIDL\r\nUSER\r\n.\r\n', 'USER SOMEONE': '+OK\r\n' },
    other: '-ERR what\r\n',
    startTls: 'STLS',
  },
  offered: 'UIDL',
  login: { [String.raw`PASS SE"CR\ET`]: '+OK welcome\r\n' },
  refusal: '-ERR WORDS\r\n',
  unwelcome: '-ERR busy\r\n',
});
