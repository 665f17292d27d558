import { formatSpan } from '../../core/span.ts';
import type { Session } from '../../core/session.ts';
import type { SessionChange } from './session-book.ts';
import type { NewNotice } from '../store/notices.ts';

export interface RosterPorts {
  now(): number;
  /** Whether the agent is there, and when it was last heard, by the server's clock; undefined if it is not known. */
  presence(agentId: string): { readonly isPresent: boolean; readonly lastSeenAt: number | undefined } | undefined;
  onNotice(notice: NewNotice): void;
}

/** Tells who is missing when a session begins, and who comes late. */
export class Roster {
  readonly #ports: RosterPorts;
  /** Seats that were not there when their session began, by agent. */
  readonly #missing = new Map<string, Session>();

  constructor(ports: RosterPorts) {
    this.#ports = ports;
  }

  /** A session goes on after a restart of the server: what was told is not told again. */
  resume(session: Session): void {
    for (const { agentId } of session.seats)
      if (agentId !== undefined && this.#isMissing(agentId, session)) this.#missing.set(agentId, session);
  }

  note(session: Session, change: SessionChange): void {
    if (change === 'started') this.#started(session);
    else if (change === 'ended') this.#ended(session);
    else this.#joined(session);
  }

  #started(session: Session): void {
    const { seats, room } = session;
    this.resume(session);
    const expected = seats.filter(({ isExpected }) => isExpected);
    for (const { agentId, name, place } of expected) {
      if (agentId === undefined || !this.#missing.has(agentId)) continue;
      const where = place === undefined ? '' : ` (${place})`;
      const text = `${name}${where} is missing at the start of ${session.policy.name} in ${room}: its agent is not heard`;
      this.#tell(session, { agentId, kind: 'seat-missing', text });
    }
    const strangers = expected.filter(({ agentId }) => agentId === undefined).map(({ name }) => name);
    if (strangers.length === 0) return;
    const text = `missing at the start of ${session.policy.name} in ${room}, because they have not joined this server: ${strangers.join(', ')}`;
    this.#tell(session, { agentId: '', kind: 'seat-missing', text });
  }

  #ended({ id }: Session): void {
    for (const [agentId, session] of this.#missing) if (session.id === id) this.#missing.delete(agentId);
  }

  /** An agent became a seat after the session had begun. */
  #joined(session: Session): void {
    const seat = session.seats.at(-1);
    if (seat?.agentId === undefined) return;
    const { agentId, name } = seat;
    this.#missing.delete(agentId);
    const text = `${name} joined ${session.policy.name} in ${session.room}, ${this.#since(session)} after its start`;
    this.#tell(session, { agentId, kind: 'seat-late', text });
  }

  /** Whether the seat has not been there since its session began. */
  isAwaited(agentId: string): boolean {
    return this.#missing.has(agentId);
  }

  /** An agent is there. */
  arrived(agentId: string, name: string): void {
    const session = this.#missing.get(agentId);
    if (!session) return;
    this.#missing.delete(agentId);
    const text = `${name} came late to ${session.policy.name} in ${session.room}, ${this.#since(session)} after its start`;
    this.#tell(session, { agentId, kind: 'seat-late', text });
  }

  #isMissing(agentId: string, { startedAt }: Session): boolean {
    const { isPresent = false, lastSeenAt } = this.#ports.presence(agentId) ?? {};
    return !isPresent && (lastSeenAt === undefined || lastSeenAt < startedAt);
  }

  #since({ startedAt }: Session): string {
    return formatSpan(Math.round((this.#ports.now() - startedAt) / 1000) * 1000);
  }

  #tell({ id: sessionId }: Session, notice: Pick<NewNotice, 'agentId' | 'kind' | 'text'>): void {
    this.#ports.onNotice({ ...notice, sensor: undefined, severity: 'notice', at: this.#ports.now(), sessionId });
  }
}
