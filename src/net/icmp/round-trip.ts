/** When a packet left, on both clocks. */
export interface Departure {
  /** Wall time, see `realtimeNs`. */
  readonly sentNs: number;
  /** Monotonic, read before `sentNs`. */
  readonly sentMs: number;
}

// Over a round trip, a wall clock that is slewed and not stepped differs from the monotonic one by at most this.
const slewMs = 1;

/**
 * The kernel's time of arrival is right however late the event loop reads it, but it is wall time. The monotonic time
 * until now is the most that can have passed; if the kernel's figure is not within it, the wall clock was stepped.
 */
export function roundTripMs(
  { sentNs, sentMs }: Departure,
  arrival: { readonly receivedNs: number | undefined; readonly nowMs: number },
): number {
  const elapsedMs = arrival.nowMs - sentMs;
  if (arrival.receivedNs === undefined) return elapsedMs;
  const kernelMs = (arrival.receivedNs - sentNs) / 1e6;
  return kernelMs > 0 && kernelMs <= elapsedMs + slewMs ? kernelMs : elapsedMs;
}
