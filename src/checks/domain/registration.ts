import { z } from 'zod';
import { withoutFinalDot } from '../../net/tls/certificate.ts';
import { plainStatus } from './options.ts';

/** A domain as a registry describes it. Times in epoch milliseconds. */
export interface Registration {
  readonly name: string | undefined;
  readonly statuses: readonly string[];
  readonly registrar: string | undefined;
  readonly nameservers: readonly string[];
  readonly expiresMs: number | undefined;
  readonly registeredMs: number | undefined;
  readonly changedMs: number | undefined;
}

const maxEntries = 100;
/** A list of which single entries may be of any kind: those that are not understood are left out. */
const listOf = <Entry>(entry: z.ZodType<Entry>) =>
  z
    .array(z.unknown())
    .catch([])
    .transform((entries) =>
      entries.slice(0, maxEntries).flatMap((given): Entry[] => {
        const { success, data } = entry.safeParse(given);
        return success ? [data] : [];
      }),
    );
const text = z.string().transform((given) => given.slice(0, 500).toWellFormed());
const time = z
  .string()
  .transform((given) => Date.parse(given))
  .refine((timeMs) => Number.isFinite(timeMs));

/** A domain object (RFC 9083 section 5.3), as far as it is read. */
const domainObject = z.object({
  objectClassName: text.optional().catch(undefined),
  ldhName: text.optional().catch(undefined),
  status: listOf(text),
  events: listOf(z.object({ eventAction: text, eventDate: time })),
  entities: listOf(
    z.object({
      roles: listOf(text),
      handle: text.optional().catch(undefined),
      vcardArray: z
        .tuple([z.literal('vcard'), listOf(z.array(z.unknown()))])
        .optional()
        .catch(undefined),
    }),
  ),
  nameservers: listOf(z.object({ ldhName: text })),
});

type DomainObject = z.output<typeof domainObject>;

/** Reads an RDAP answer; undefined if it is no object about a domain. */
export function readRegistration(answer: unknown): Registration | undefined {
  const { data } = domainObject.safeParse(answer);
  if (!data || (data.objectClassName ?? 'domain') !== 'domain') return undefined;
  const dateOf = (...actions: readonly string[]): number | undefined =>
    actions.flatMap((action) => data.events.find(({ eventAction }) => eventAction === action) ?? [])[0]?.eventDate;
  return {
    name: data.ldhName && withoutFinalDot(data.ldhName).toLowerCase(),
    statuses: data.status.map(plainStatus),
    registrar: registrarOf(data),
    nameservers: data.nameservers.map(({ ldhName }) => withoutFinalDot(ldhName).toLowerCase()),
    // A registrar's own date counts only where the registry gives none: the registry is who lets the name go.
    expiresMs: dateOf('expiration', 'registrar expiration'),
    registeredMs: dateOf('registration'),
    changedMs: dateOf('last changed'),
  };
}

/** The formatted name in the contact card (RFC 7095) of who has the role of the registrar; else its handle. */
function registrarOf({ entities }: DomainObject): string | undefined {
  const registrar = entities.find(({ roles }) => roles.includes('registrar'));
  const card = registrar?.vcardArray?.[1] ?? [];
  const name = card.find(([property]) => property === 'fn')?.[3];
  return typeof name === 'string' && name !== '' ? name.slice(0, 500).toWellFormed() : registrar?.handle;
}
