import { EchoResponder, type EchoCounters } from '../echo/responder.ts';
import { formatEndpoint } from '../core/target.ts';

export interface EchoOptions {
  /** The address to listen on: `127.0.0.1` is this machine only, `::` every address. */
  readonly host: string;
  /** 0 takes any free port; undefined does not serve this protocol. */
  readonly tcp?: number | undefined;
  readonly udp?: number | undefined;
}

interface EchoSetting {
  readonly output: NodeJS.WritableStream;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Runs the echo responder until the signal: says where it listens, and in the end what it did. @throws {AppError} unavailable */
export async function runEcho(options: EchoOptions, { output, signal }: EchoSetting): Promise<void> {
  await using responder = new EchoResponder(options);
  const ports = await responder.start();
  for (const [protocol, port] of Object.entries(ports)) {
    output.write(`Echo over ${protocol.toUpperCase()} on ${formatEndpoint({ host: options.host, port })}\n`);
  }
  await aborted(signal);
  output.write(`${summary(responder.counters)}\n`);
}

function summary(counters: EchoCounters): string {
  const { connections, connectionsRefused, tcpBytes, datagrams, datagramsDropped, udpBytes } = counters;
  const tcp = `TCP ${connections} connections (${connectionsRefused} refused), ${tcpBytes} bytes`;
  return `${tcp}; UDP ${datagrams} datagrams (${datagramsDropped} not answered), ${udpBytes} bytes`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
