import type { ContactDirection, SensorRecord } from '../../core/record.ts';

export type ContactEvent = 'lan-access' | 'forbidden-peer';

type MoreContacts = Extract<SensorRecord, { event: 'more-contacts' }>;
type Listed = MoreContacts['contacts'][number];

interface Spent {
  told: number;
  /** Hosts that were contacted for the first time. */
  hosts: number;
  readonly examples: string[];
  isScanTold: boolean;
  readonly waiting: Listed[];
  listed: number;
  unlisted: number;
}

const minuteMs = 60_000;
/** Contacts of one kind and direction that are told one by one in a minute; as many new hosts are a scan. */
const maxPerMinute = 60;
/** Further contacts in a minute that are listed by name: as many as the table of peers has room for. */
const maxListed = 16_384;
const listSize = 200;
const maxExamples = 10;

/**
 * Keeps a scan of the network from flooding the log, and from hiding anything: it is an alarm of its own, and contacts beyond 60 a
 * minute are recorded in lists. Each kind and direction has its own limit, so that others cannot use up this machine's.
 */
export class ContactBudget {
  readonly #record: (record: SensorRecord) => void;
  readonly #spent = new Map<string, Spent>();
  #minuteBeganMs = -Infinity;

  constructor(record: (record: SensorRecord) => void) {
    this.#record = record;
  }

  /** True if the contact is to be told by itself; otherwise it is listed with the next step. */
  take(event: ContactEvent, { isFirstOfPeer, ...contact }: Listed & { readonly isFirstOfPeer: boolean }): boolean {
    const spent = this.#spent.getOrInsertComputed(`${event} ${contact.direction}`, newSpent);
    if (isFirstOfPeer) this.#countHost(spent, contact);
    if (++spent.told <= maxPerMinute) return true;
    if (spent.listed++ < maxListed) spent.waiting.push(contact);
    else spent.unlisted++;
    return false;
  }

  /** Records the lists; to be called once a step. */
  step(nowMs: number): void {
    for (const [key, { waiting }] of this.#spent) this.#list(eventOf(key), waiting.splice(0));
    if (nowMs - this.#minuteBeganMs < minuteMs) return;
    this.#minuteBeganMs = nowMs;
    for (const [key, { unlisted }] of this.#spent)
      if (unlisted > 0)
        this.#record({ event: 'lost', message: `contacts (${key}) beyond those listed`, count: unlisted });
    this.#spent.clear();
  }

  #countHost(spent: Spent, { direction, peer }: Listed): void {
    spent.hosts++;
    if (spent.examples.length < maxExamples) spent.examples.push(peer);
    if (spent.hosts <= maxPerMinute || spent.isScanTold || !isKnown(direction)) return;
    spent.isScanTold = true;
    this.#record({ event: 'scan', direction, of: 'hosts', count: spent.hosts, examples: [...spent.examples] });
  }

  #list(of: ContactEvent, contacts: readonly Listed[]): void {
    for (let from = 0; from < contacts.length; from += listSize)
      this.#record({ event: 'more-contacts', of, contacts: contacts.slice(from, from + listSize) });
  }
}

function newSpent(): Spent {
  return { told: 0, hosts: 0, examples: [], isScanTold: false, waiting: [], listed: 0, unlisted: 0 };
}

function eventOf(key: string): ContactEvent {
  return key.startsWith('forbidden-peer') ? 'forbidden-peer' : 'lan-access';
}

function isKnown(direction: ContactDirection): direction is 'in' | 'out' {
  return direction !== 'unknown';
}
