/** The files of a data folder that a backup holds, by their places in it. */
export const databaseFile = 'watchkeeper.db';
export const identityFile = 'server.json';
/**
 * Identity, certificate and token of the server, and the identity of its own agent, which keeps its place and its tasks. What
 * that agent had not sent yet stays behind: it belongs to the machine that is gone.
 */
export const smallFiles = [identityFile, 'tls.json', 'api-token', 'local-agent/agent.json'] as const;
/** Holds the files of the configuration, which a server reads from elsewhere. */
export const configurationFolder = 'configuration';

const configurationName = /^configuration\/[^/.][^/]*$/;
const maxSmallBytes = 16 * 1024 * 1024;

/** How many bytes a file of this name may have; undefined if a backup holds no such file. */
export function maxBytesOf(name: string): number | undefined {
  if (name === databaseFile) return Infinity;
  const isSmall = smallFiles.some((known) => known === name) || configurationName.test(name);
  return isSmall ? maxSmallBytes : undefined;
}
