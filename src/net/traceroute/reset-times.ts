import { decodeIpv4Header } from '../packets/ip.ts';
import { attachClassicFilter, type ClassicInstruction } from '../../sys/packet-socket.ts';
import { ReceiveBatch } from '../../sys/receive.ts';
import { closeSocket, IPPROTO_TCP, openSocket, setOption, SOCK_RAW, socketOptions } from '../../sys/socket.ts';

const tcpHeaderBytes = 20;

// Classic BPF, linux/bpf_common.h: X = the length of the IP header, halves and bytes behind it, compare, return.
const LDX_IP_HEADER = 0xb1;
const LDX_IMMEDIATE = 0x01;
const LD_HALF_INDIRECT = 0x48;
const LD_BYTE_INDIRECT = 0x50;
const JUMP_EQUAL = 0x15;
const JUMP_SET = 0x45;
const RETURN = 0x06;
const resetFlag = 0x04;

/**
 * When resets arrived, by the kernel's clock: a TCP socket that is refused keeps no time of it. Needs the right to open raw
 * sockets. Times are by the local port.
 */
export class ResetTimes implements Disposable {
  readonly #family: 4 | 6;
  readonly #fd: number;
  readonly #batch = new ReceiveBatch();
  readonly #timesNs = new Map<number, number>();

  /** Of resets that come from this port. @throws {SystemError} EPERM */
  constructor(family: 4 | 6, remotePort: number) {
    this.#family = family;
    this.#fd = openSocket({ family, kind: SOCK_RAW, protocol: IPPROTO_TCP });
    setOption(this.#fd, socketOptions.timestamps, 1);
    attachClassicFilter(this.#fd, onlyResets(family, remotePort));
  }

  /** When the reset to a local port arrived; undefined if none did. See `realtimeNs`. */
  take(localPort: number): number | undefined {
    for (const { data, receivedNs } of this.#batch.receive(this.#fd, 'data')) {
      const headerBytes = this.#family === 4 ? decodeIpv4Header(data)?.headerBytes : 0;
      if (headerBytes === undefined || receivedNs === undefined || data.length < headerBytes + tcpHeaderBytes) continue;
      this.#timesNs.set(data.readUInt16BE(headerBytes + 2), receivedNs);
    }
    const receivedNs = this.#timesNs.get(localPort);
    this.#timesNs.delete(localPort);
    return receivedNs;
  }

  [Symbol.dispose](): void {
    closeSocket(this.#fd);
  }
}

/** A raw IPv4 socket hands out packets with their IP header, one of IPv6 without. */
function onlyResets(family: 4 | 6, remotePort: number): readonly ClassicInstruction[] {
  return [
    family === 4 ? [LDX_IP_HEADER, 0, 0, 0] : [LDX_IMMEDIATE, 0, 0, 0],
    [LD_HALF_INDIRECT, 0, 0, 0],
    [JUMP_EQUAL, 0, 3, remotePort],
    [LD_BYTE_INDIRECT, 0, 0, 13],
    [JUMP_SET, 0, 1, resetFlag],
    [RETURN, 0, 0, 0xffff],
    [RETURN, 0, 0, 0],
  ];
}
