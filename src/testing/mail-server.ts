import { testCertificates } from './certificates.ts';
import { lineServer, serveLines, serveTls, type LineAnswer } from './line-server.ts';
import { tcpServer, type TestServer } from './tcp-server.ts';

export interface MailScript {
  readonly greeting: string;
  /** By the first words of a line, in capitals; the first that fits. What is not there is answered with `other`. */
  readonly replies: Readonly<Record<string, string>>;
  /** The same in TLS, where it differs. */
  readonly repliesInTls?: Readonly<Record<string, string>>;
  readonly other: string;
  /** The command after whose reply TLS begins; undefined for a server without. */
  readonly startTls?: string;
  readonly tlsFromStart?: boolean;
}

export interface MailTestServer extends TestServer {
  /** The lines it got, those in TLS marked so. */
  readonly lines: readonly string[];
}

/** A mail server that follows a script, with the certificate `good`. */
export async function mailServer(script: MailScript): Promise<MailTestServer> {
  const { good } = await testCertificates();
  const lines: string[] = [];
  const answerIn =
    (replies: MailScript['replies'], mark: string): LineAnswer =>
    (line, socket) => {
      lines.push(mark + line);
      const tag = /^a\d+ /.exec(line)?.[0] ?? '';
      const command = line.slice(tag.length);
      const known = Object.keys(replies).find((words) => command.toUpperCase().startsWith(words));
      const reply = (known === undefined ? script.other : (replies[known] ?? '')).replaceAll('TAG ', tag);
      if (known === undefined || known !== script.startTls || mark !== '') return reply;
      socket.write(reply);
      serveLines(serveTls(socket, good), '', answerIn({ ...replies, ...script.repliesInTls }, 'TLS '));
      return undefined;
    };
  const { greeting, replies, repliesInTls, tlsFromStart } = script;
  const server = tlsFromStart
    ? await tcpServer((socket) =>
        serveLines(serveTls(socket, good), greeting, answerIn({ ...replies, ...repliesInTls }, 'TLS ')),
      )
    : await lineServer(greeting, answerIn(replies, ''));
  return { ...server, lines };
}
