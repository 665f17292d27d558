/** A request with two of them is ambiguous: whoever reads the first and whoever reads the last see two requests. */
const singletons: ReadonlySet<string> = new Set(['host', 'authorization', 'origin']);

/** The name of a header that may come once and came more often (RFC 9110, section 5.3; RFC 9112, section 3.2). */
export function repeatedHeader(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const [at, header] of rawHeaders.entries()) {
    // Names and values take turns.
    if (at % 2 === 1) continue;
    const name = header.toLowerCase();
    if (!singletons.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
