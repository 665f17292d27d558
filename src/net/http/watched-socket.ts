import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** A socket's bytes, each piece shown to `watch` before the reader gets it. The socket stays the caller's. */
export function watchedSocket(socket: Socket, watch: (bytes: Buffer) => void): Duplex {
  let isEnded = false;
  const duplex = new Duplex({
    allowHalfOpen: true,
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
    // Writes of one turn leave in one piece, as they would without this wrapper.
    writev: (chunks, done) => void socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done),
    final: (done) => {
      socket.end();
      done();
    },
    destroy: (error, done) => {
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
      // Errors after this are of no interest, and must not be thrown.
      socket.on('error', () => {});
      done(error);
    },
  });
  const onData = (bytes: Buffer): void => {
    watch(bytes);
    if (!duplex.push(bytes)) socket.pause();
  };
  // end(), not destroy(): the bytes before the end are still to be read.
  const onEnd = (): void => {
    if (!isEnded) duplex.push(null);
    isEnded = true;
  };
  const onError = (error: Error): void => void duplex.destroy(error);
  socket.on('data', onData).once('end', onEnd).once('close', onEnd).once('error', onError);
  return duplex;
}
