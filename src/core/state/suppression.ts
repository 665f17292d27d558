/**
 * Why a message is not sent, in the order in which reasons are looked for: the first that applies is recorded. `quiet-hours` and
 * `cap` are the outbox's. The others are decided with the state.
 */
export const suppressionReasons = [
  'disabled',
  'not-confirmed',
  'observer',
  'parent',
  'maintenance',
  'silence',
  'flapping',
  'acknowledged',
  'filter',
  'not-due',
  'quiet-hours',
  'grouped',
  'cap',
  'nobody-told',
] as const;
export type SuppressionReason = (typeof suppressionReasons)[number];

/** `discarded` and `final` end there; what is `held` is settled when its reason has passed. */
export type Suppression = {
  readonly reason: SuppressionReason;
  /** For people: which parent, which window. */
  readonly by?: string | undefined;
  /** When the reason passes, epoch milliseconds, where that is known. */
  readonly until?: number | undefined;
};

/** What could keep a message back; an absent one does not apply. */
export type SuppressionFacts = Partial<Readonly<Record<SuppressionReason, Omit<Suppression, 'reason'>>>>;

export function suppressionOf(facts: SuppressionFacts): Suppression | undefined {
  for (const reason of suppressionReasons) {
    const fact = facts[reason];
    if (fact) return { reason, ...fact };
  }
  return undefined;
}

const ending: Readonly<Record<SuppressionReason, 'discarded' | 'held'>> = {
  disabled: 'discarded',
  'not-confirmed': 'discarded',
  observer: 'discarded',
  parent: 'held',
  maintenance: 'held',
  silence: 'held',
  flapping: 'held',
  acknowledged: 'held',
  filter: 'discarded',
  'not-due': 'held',
  'quiet-hours': 'held',
  grouped: 'held',
  cap: 'held',
  'nobody-told': 'discarded',
};

export function endingOf(reason: SuppressionReason): 'discarded' | 'held' {
  return ending[reason];
}
