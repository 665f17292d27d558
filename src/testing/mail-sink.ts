import { tcpServer } from './tcp-server.ts';

export interface Mail {
  /** What RCPT TO named. */
  readonly recipients: readonly string[];
  /** As it came, dots at the beginning of lines undone. */
  readonly text: string;
}

export interface MailSink extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly Mail[];
}

/** A mail server on loopback that takes every mail, without encryption. */
export async function mailSink(): Promise<MailSink> {
  const mails: Mail[] = [];
  const server = await tcpServer((socket) => {
    let rest = '';
    let data: string[] | undefined;
    let recipients: string[] = [];
    const take = (line: string): string | undefined => {
      if (data && line !== '.') return void data.push(line.replace(/^\./, ''));
      if (data) {
        mails.push({ recipients, text: data.join('\n') });
        [data, recipients] = [undefined, []];
        return '250 queued';
      }
      const [, recipient] = /^RCPT TO:<([^>]*)>/i.exec(line) ?? [];
      if (recipient !== undefined) recipients.push(recipient);
      if (/^DATA$/i.test(line)) data = [];
      return data ? '354 go on' : '250 ok';
    };
    socket.on('error', () => {});
    socket.write('220 sink ESMTP\r\n');
    socket.on('data', (bytes) => {
      const lines = (rest + bytes.toString()).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const reply = take(line);
        if (reply !== undefined) socket.write(`${reply}\r\n`);
      }
    });
  });
  return { port: server.port, mails, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
