import type { Cancel, Clock } from '../../core/clock.ts';
import type { ServerEvent } from '../../core/event.ts';
import { printable } from '../../core/printable.ts';
import type { KeptNotice, NewNotice, Notices } from '../store/notices.ts';

interface StreamParts {
  readonly clock: Pick<Clock, 'after'>;
  readonly store: Pick<Notices, 'addNotice'>;
  readonly nameOf: (agentId: string) => string;
  /** The session in which an agent is watched at a time by the server's clock. */
  readonly sessionIdOf?: (agentId: string, at: number) => string | undefined;
  readonly publish: (event: ServerEvent) => void;
  /** A line for the operator. */
  readonly say: (text: string) => void;
}

/** A notice that comes again and again is told with its count, and not more often. */
const repeatMs = 10_000;

/** Tells watchers of notices: each at once, and one that comes again with its count. */
export class NoticeStream {
  readonly #parts: StreamParts;
  /** Notices that came again since they were told, by their ids. */
  readonly #waiting = new Map<number, KeptNotice>();
  #cancel: Cancel | undefined;

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  /** Keeps a notice that no record made, and tells of it. */
  add(notice: NewNotice): void {
    const { store, say, sessionIdOf } = this.#parts;
    const sessionId = notice.sessionId ?? sessionIdOf?.(notice.agentId, notice.at);
    store.addNotice({ ...notice, sessionId }).then(
      (kept) => this.tell(kept),
      (error: Error) => say(printable(`This notice cannot be kept (${error.message}): ${notice.text}.`)),
    );
  }

  tell(notice: KeptNotice): void {
    if (notice.count === 1) return this.#publish(notice);
    this.#waiting.set(notice.id, notice);
    this.#cancel ??= this.#parts.clock.after(repeatMs, () => this.#tellWaiting());
  }

  stop(): void {
    this.#cancel?.();
  }

  #tellWaiting(): void {
    this.#cancel = undefined;
    const notices = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const notice of notices) this.#publish(notice);
  }

  #publish({ agentId, id, sensor, kind, severity, text, count, lastAt }: KeptNotice): void {
    const { nameOf, publish } = this.#parts;
    publish({ type: 'notice', agentId, name: nameOf(agentId), id, sensor, kind, severity, text, count, lastAt });
  }
}
