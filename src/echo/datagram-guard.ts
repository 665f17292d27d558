import type { Clock } from '../core/clock.ts';
import { refilled, type Rate } from '../core/rate.ts';

/** Below this are services, which would answer our answer and so start a loop; a client's port is above. */
const firstClientPort = 1024;
const maxSources = 10_000;

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

interface GuardOptions {
  readonly clock: Clock;
  readonly perSource: Rate;
  readonly overall: Rate;
}

/**
 * Decides which datagrams are answered, so that forged sources make no reflector of us. A loop with another echo service
 * at a port above 1023 is one datagram going around: it uses up its source's rate, is dropped once, and ends; one that is
 * slower than that rate costs no more than the rate.
 */
export class DatagramGuard {
  readonly #options: GuardOptions;
  readonly #sources = new Map<string, Bucket>();
  readonly #overall: Bucket;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#overall = { tokens: options.overall.burst, filledAtMs: options.clock.monotonic() };
  }

  admits(source: { readonly address: string; readonly port: number }): boolean {
    if (source.port < firstClientPort) return false;
    const nowMs = this.#options.clock.monotonic();
    return (
      take(this.#bucketOf(source.address, nowMs), this.#options.perSource, nowMs) &&
      take(this.#overall, this.#options.overall, nowMs)
    );
  }

  /** How many sources are remembered. */
  get size(): number {
    return this.#sources.size;
  }

  #bucketOf(address: string, nowMs: number): Bucket {
    const known = this.#sources.get(address);
    if (known) return known;
    if (this.#sources.size >= maxSources) this.#forgetOldest();
    const bucket = { tokens: this.#options.perSource.burst, filledAtMs: nowMs };
    this.#sources.set(address, bucket);
    return bucket;
  }

  /** Forged sources could push each other out and so get new bursts; the overall rate holds all the same. */
  #forgetOldest(): void {
    for (const oldest of this.#sources.keys()) {
      this.#sources.delete(oldest);
      return;
    }
  }
}

function take(bucket: Bucket, rate: Rate, nowMs: number): boolean {
  bucket.tokens = refilled(rate, bucket.tokens, nowMs - bucket.filledAtMs);
  bucket.filledAtMs = nowMs;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}
