import { SystemError } from '../../sys/libc.ts';
import { openEbpfCounter } from './ebpf-counter.ts';
import type { OpenedCounter, PeerCounter, PeerCounterOptions } from './peer-counter.ts';
import { openRingCounter } from './ring-counter.ts';

/** Opens the best counter that this machine allows, and says what is missing for a better one. Never throws. */
export function openPeerCounter(options: PeerCounterOptions): OpenedCounter {
  const ebpf = attempt(() => openEbpfCounter(options));
  if (ebpf.counter) return { state: 'running', message: 'ebpf: the kernel counts', counter: ebpf.counter };
  const ring = attempt(() => openRingCounter(options));
  if (ring.counter) return { state: 'limited', message: limitation(ebpf.error), counter: ring.counter };
  return { state: 'unavailable', message: absence(ring.error) };
}

type Attempt = { readonly counter: PeerCounter } | { readonly counter?: never; readonly error: unknown };

function attempt(open: () => PeerCounter): Attempt {
  try {
    return { counter: open() };
  } catch (error) {
    return { error };
  }
}

function limitation(error: unknown): string {
  return (
    `ring: this process counts packet by packet (about 5 % of a core at 100,000 a second), and bytes on the wire are ` +
    `up to 4 % too low where the network card cuts packets, because eBPF is not available (${reason(error)}). ` +
    'It needs CAP_BPF and Linux 5.8.'
  );
}

function absence(error: unknown): string {
  const isNotPermitted = error instanceof SystemError && error.code === 'EPERM';
  const remedy = isNotPermitted
    ? 'Root may; another user needs CAP_NET_RAW, and CAP_BPF to let the kernel count, as the unit in deploy/ gives the agent.'
    : 'It needs Linux with packet sockets, and a Node.js that may call the C library.';
  return `Traffic is not counted: no packet socket (${reason(error)}). ${remedy}`;
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 60);
}
