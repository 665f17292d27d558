/** An `alarm` is what no honest machine does, or what makes evidence incomplete; a `notice` is worth a look. */
export const noticeSeverities = ['alarm', 'notice'] as const;
export type NoticeSeverity = (typeof noticeSeverities)[number];

/** What people are told of a record. */
export interface NoticeText {
  readonly severity: NoticeSeverity;
  readonly text: string;
  /** In which it was told. */
  readonly sessionId?: string | undefined;
}
