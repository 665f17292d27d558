import type { CheckContext, Measurement } from '../../core/check.ts';
import type { TlsOptions } from '../../core/network.ts';
import { noteTls } from '../tls/report.ts';
import type { Conversation } from './conversation.ts';

interface Visit {
  readonly options: {
    readonly host: string;
    readonly tls: Omit<TlsOptions, 'serverName'> & { readonly serverName?: string | undefined };
  };
  readonly context: CheckContext;
  readonly measurement: Measurement;
}

/** Goes on in TLS, and writes down what the handshake showed. @throws {Failure} as `startTls` and `Conversation.upgrade` do */
export async function secureConversation(conversation: Conversation, visit: Visit): Promise<void> {
  const { options, context, measurement } = visit;
  const { host, tls } = options;
  const { net, clock, signal } = context;
  await conversation.upgrade(async (socket) => {
    const secured = await net.startTls(socket, { ...tls, serverName: tls.serverName ?? host, signal });
    noteTls(measurement, secured, { nowMs: clock.now(), where: conversation.where });
    return secured.socket;
  });
}
