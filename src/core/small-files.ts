/** The small files of one folder, each replaced whole or not at all. Every method throws what the system says. */
export interface SmallFiles {
  /** Where the folder is, for messages. */
  readonly path: string;
  /** Undefined if there is no such file. */
  read(name: string): string | undefined;
  replace(name: string, content: string, options?: ReplaceOptions): void;
  /** The same off this thread, which a large file would hold up, durably and for this user only; one call takes effect after the other. */
  replaceSoon(name: string, content: string): Promise<void>;
  /** Does nothing if there is no such file. */
  remove(name: string): void;
}

export interface ReplaceOptions {
  /** Exactly this, whatever the umask is; 0o600 unless given. */
  readonly mode?: 0o600 | 0o644;
  /** Whether the new content must survive a power cut once this returns; true unless given. */
  readonly isDurable?: boolean;
}
