/**
 * A UUID v7 (RFC 9562, section 5.7) that is the same for the same beginning of the same subject, so that states rebuilt from stored
 * results have the same incidents.
 */
export function incidentIdOf(kind: string, subjectId: string, startedAt: number): string {
  const time = Math.max(0, Math.floor(startedAt)).toString(16).padStart(12, '0').slice(-12);
  const words = [0, 1, 2].map((salt) => fnv(`${salt} ${kind} ${subjectId} ${startedAt}`).toString(16).padStart(8, '0'));
  const rest = words.join('');
  const variant = (0x8 | (Number.parseInt(rest.slice(3, 4), 16) & 0x3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-${variant}${rest.slice(4, 7)}-${rest.slice(7, 19)}`;
}

/** FNV-1a, 32 bits, with the finaliser of MurmurHash3. */
function fnv(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
