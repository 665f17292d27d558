import { Failure } from '../../core/failure.ts';
import type { Address, IcmpError, QueryAnswer } from '../../core/network.ts';
import type { QueuedError } from '../../sys/receive.ts';
import { isOwnAddress, missingWayFailure } from '../dial/missing-way.ts';
import { explainIcmpError } from '../packets/icmp.ts';

interface PacketSent {
  readonly sequence: number;
  readonly rttMs: number;
  /** Where it was sent to. */
  readonly address: Address;
}

/** Reads an ICMP message about a packet; undefined if it says nothing about the packet's fate. */
export function answerOfMessage({ type, code, info, from }: QueuedError, packet: PacketSent): QueryAnswer | undefined {
  const error = explainIcmpError(packet.address.family, { type, code, mtu: info });
  return error && answerOfError(error, from, packet);
}

/** An ICMP error as an answer; `from` is who sent it. */
export function answerOfError(error: IcmpError, from: string | undefined, packet: PacketSent): QueryAnswer {
  const { sequence, rttMs, address } = packet;
  const isOwn = from !== undefined && from !== address.ip && isOwnAddress({ ip: from, family: address.family });
  // The kernel reports a neighbour that does not answer as a router would, from an address of its own.
  if (isOwn && error.kind === 'unreachable') return { kind: 'unsent', sequence, error: notSent(error, address) };
  return { kind: 'error', sequence, from: isOwn ? undefined : from, rttMs, error };
}

function notSent({ text }: IcmpError, address: Address): Failure {
  const doing = `This machine says about ${address.ip}: ${text}`;
  const as = { status: 'unknown', source: 'agent' } as const;
  return missingWayFailure(address, { doing, cause: undefined }) ?? new Failure('unreachable', `${doing}.`, { as });
}
