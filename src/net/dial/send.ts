import type { Socket } from 'node:dgram';

/**
 * Sends a datagram on a connected socket. The kernel reports the ICMP error of an earlier datagram to the next send, and
 * does not send: so a send that fails is done once more. `onError` hears of a second failure, which is this machine's own.
 */
export function sendDatagram(socket: Socket, datagram: Buffer, onError: (error: Error) => void): void {
  socket.send(datagram, (error) => {
    if (error) socket.send(datagram, (again) => again && onError(again));
  });
}
