import { Buffer } from 'node:buffer';
import { decodeNtp, encodeNtp, modes, msToTimestamp, type NtpPacket } from '../net/packets/ntp.ts';
import type { TestServer } from './tcp-server.ts';
import { udpServer, type Reply } from './udp-server.ts';

interface NtpStand {
  readonly place?: { readonly host: string; readonly port: number };
  /** How far its clock is ahead of ours. */
  readonly offsetMs?: number;
  /** What it says otherwise than a good server would. */
  readonly packet?: Partial<NtpPacket>;
  /** Takes the place of sending the good reply. */
  readonly send?: (packet: NtpPacket, reply: Reply) => void;
}

/** An NTP server, on a free loopback port unless another place is given: stratum 2, its time is ours, unless the test says otherwise. */
export function ntpServer({ offsetMs = 0, packet = {}, send, place }: NtpStand = {}): Promise<TestServer> {
  return udpServer((datagram, reply) => {
    const request = decodeNtp(datagram);
    if (request?.mode !== modes.client) return;
    const now = msToTimestamp(Date.now() + offsetMs);
    const answer = {
      leap: 0,
      version: request.version,
      mode: modes.server,
      stratum: 2,
      poll: 0,
      precision: -20,
      rootDelayMs: 10,
      rootDispersionMs: 5,
      referenceId: Buffer.from([192, 0, 2, 1]),
      reference: now,
      origin: request.transmit,
      receive: now,
      transmit: now,
      ...packet,
    };
    if (send) return send(answer, reply);
    reply(encodeNtp(answer));
  }, place);
}
