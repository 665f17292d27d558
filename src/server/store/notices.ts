import type { NoticeSeverity } from '../../core/notice.ts';
import type { SensorName } from '../../core/sensor.ts';

/** What people were told of the machines that are watched, and who has looked at it. Notices of records come in with `commit`. */
export interface Notices {
  /** A notice that no record made: of a machine that fell silent, for instance. */
  addNotice(notice: NewNotice): Promise<KeptNotice>;
  /** Newest first, at most `limit`. */
  notices(query: NoticeQuery): Promise<readonly KeptNotice[]>;
  /** Says who looked at a notice; the first to do so stays. Undefined if there is no such notice. */
  acknowledge(id: number, acknowledged: Acknowledgement): Promise<KeptNotice | undefined>;
}

export interface NewNotice {
  /** Empty where it is about a room, or a seat whose agent never joined. */
  readonly agentId: string;
  /** Undefined where it is about the agent itself. */
  readonly sensor: SensorName | undefined;
  /** What happened: the event of a record, the cause of an alarm. */
  readonly kind: string;
  readonly severity: NoticeSeverity;
  readonly text: string;
  /** By the server's clock, epoch milliseconds. */
  readonly at: number;
  /** In which it was told. */
  readonly sessionId?: string | undefined;
}

/** The same sentence about the same agent within ten minutes is one notice that counts. */
export interface KeptNotice extends NewNotice {
  readonly id: number;
  readonly lastAt: number;
  readonly count: number;
  readonly acknowledged: Acknowledgement | undefined;
}

export interface Acknowledgement {
  readonly by: string;
  readonly at: number;
  readonly note: string;
}

export interface NoticeQuery {
  readonly limit: number;
  /** Only those with a lower id. */
  readonly before?: number | undefined;
  /** Of these agents or told in these sessions; all if both are absent. */
  readonly agentIds?: readonly string[] | undefined;
  readonly sessionIds?: readonly string[] | undefined;
  readonly kind?: string | undefined;
  readonly severity?: NoticeSeverity | undefined;
  /** By the time of the last, half-open. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Only those that nobody has looked at. */
  readonly isOpen?: boolean | undefined;
}
