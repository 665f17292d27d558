import type { Socket } from 'node:net';
import { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import type { MessageReceipt } from '../../core/message.ts';
import { quoted } from '../../core/quoted.ts';
import { hostname, isLoopback, port } from '../../core/target.ts';
import { caOption, retry } from '../http.ts';
import { defineNotifier, type Sending, type SendPorts, type SendResult } from '../notifier.ts';
import { mailOf } from './mail.ts';

const address = z
  .string()
  .max(254)
  .regex(/^[^\s<>,;:"@\\\p{Cc}]{1,64}@[^\s<>,;:"@\\\p{Cc}]{1,189}$/u, 'expected one address, like ops@example.org');
const ports = { starttls: 587, tls: 465, none: 25 } as const;

const options = z
  .strictObject({
    host: hostname.meta({ description: 'Mail server that takes our mail', example: 'mail.example' }),
    port: port.optional().meta({ description: 'Its port; 587 for starttls, 465 for tls, 25 for none', example: '587' }),
    security: z.enum(['starttls', 'tls', 'none']).default('starttls').meta({
      description: 'How the connection is encrypted; `none` only without a password, or to this machine',
      example: 'tls',
    }),
    user: z.string().min(1).max(254).optional().meta({ description: 'Name to log in with', example: 'watchkeeper' }),
    password: z.string().min(1).max(1000).optional().meta({
      description: 'Password to log in with',
      example: '${file:/run/secrets/mail}',
      secret: true,
    }),
    from: address.meta({ description: 'Sender', example: 'watchkeeper@example.org' }),
    to: z.array(address).min(1).max(50).meta({ description: 'Recipients', example: '[ops@example.org]' }),
    ca: caOption,
  })
  .refine(
    ({ user, password }) => (user === undefined) === (password === undefined),
    'expected both user and password, or neither',
  )
  .refine(
    ({ security, password, host }) => security !== 'none' || password === undefined || isLoopback(host),
    'expected security starttls or tls: a password would be sent in clear text',
  );
type Options = z.output<typeof options>;

export const email = defineNotifier({
  kind: 'email',
  title: 'E-mail',
  summary: 'Sends mail by your mail server (SMTP).',
  notes: [
    'All messages of an incident are one thread; the subject stays the same, and the state is the first line.',
    'With `starttls` a server that offers no encryption is refused.',
  ],
  options,
  rate: { burst: 10, perSecond: 0.5 },
  async send(sending, ports) {
    const mail = mailOf(sending);
    const receipt: MessageReceipt = { messageId: mail.messageId, subject: mail.subject };
    const result = await submit(mail, sending, ports);
    return result.outcome === 'delivered' ? { ...result, receipt } : result;
  },
});

async function submit(
  mail: ReturnType<typeof mailOf>,
  sending: Sending<Options>,
  { net }: SendPorts,
): Promise<SendResult> {
  const { options, signal } = sending;
  const { host, security, user, password, ca, port = ports[security] } = options;
  // 30 modules that nothing else needs.
  const { createTransport } = await import('nodemailer');
  const { socket } = await net.connect({ host, port }, { signal });
  const end = (): void => void socket.destroy();
  signal.addEventListener('abort', end, { once: true });
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(user !== undefined && password !== undefined && { auth: { user, pass: password } }),
    tls: { minVersion: 'TLSv1.2', servername: host, ...(ca !== undefined && { ca }) },
    getSocket: (_: unknown, callback: (error: null, found: { connection: Socket }) => void) =>
      callback(null, { connection: socket }),
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
  });
  try {
    const { rejected, response } = await transport.sendMail(mail);
    return accepted(response, rejected.map(String));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return refusalOf(error);
  } finally {
    signal.removeEventListener('abort', end);
    transport.close();
    socket.destroy();
  }
}

function accepted(response: string, rejected: readonly string[]): SendResult {
  const others = rejected.length > 0 ? `; not taken for ${rejected.map((one) => quoted(one)).join(', ')}` : '';
  return { outcome: 'delivered', text: `${quoted(response, 300)}${others}` };
}

interface SmtpError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
  readonly response?: string;
  readonly command?: string;
}

/** What an error of the SMTP session means (RFC 5321 section 4.2.1: 4yz may pass, 5yz does not). */
function refusalOf(error: unknown): SendResult {
  if (!(error instanceof Error) || error instanceof Failure) throw error;
  // Nodemailer's errors have these.
  const { responseCode, response, command, message, code } = error as SmtpError;
  const text = response === undefined ? quoted(message, 300).slice(1, -1) : quoted(response, 300);
  if (code === undefined) throw error;
  if (responseCode === undefined)
    return code === 'EAUTH' || code === 'EENVELOPE' ? { outcome: 'broken', text } : retry(text);
  if (responseCode < 500) return retry(text);
  return command === 'DATA' ? { outcome: 'refused', text } : { outcome: 'broken', text };
}
