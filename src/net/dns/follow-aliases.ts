import type { DnsQuestion, DnsRecord } from '../packets/dns/message.ts';
import { canonicalName } from '../packets/dns/name.ts';

const maxAliases = 16;

/** The records of the question and the CNAME records on the way to them, in that order. */
export function followAliases(question: DnsQuestion, answers: readonly DnsRecord[]): readonly DnsRecord[] {
  const ofClass = answers.filter((record) => record.class === question.class);
  const aliases: DnsRecord[] = [];
  let owner = canonicalName(question.name);
  while (aliases.length < maxAliases) {
    const ofOwner = ofClass.filter((record) => canonicalName(record.name) === owner);
    const wanted = ofOwner.filter((record) => record.type === question.type);
    const alias = ofOwner.find((record) => record.type === 'CNAME' && record.flaw === undefined);
    if (wanted.length > 0 || !alias) return [...aliases, ...wanted];
    aliases.push(alias);
    owner = canonicalName(alias.data);
  }
  return aliases;
}
