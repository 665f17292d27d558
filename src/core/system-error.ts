const words: Readonly<Record<string, string>> = {
  EACCES: 'this user may not use it',
  EPERM: 'this user may not use it',
  EROFS: 'its file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
  EISDIR: 'it is a directory, not a file',
  ERR_FS_EISDIR: 'it is a directory, not a file',
  ENOTDIR: 'there is a file in the place of a directory',
  EEXIST: 'there is something else in its place',
  ENOENT: 'it is not there',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'this process has too many files open',
  ENFILE: 'this machine has too many files open',
  EIO: 'the disk failed',
  ETXTBSY: 'a program is running from it',
  EBUSY: 'it is in use',
};

/** What a call of the file system says by its code, in words; undefined for another error. */
export function systemReason(error: unknown): string | undefined {
  return words[String((error as { readonly code?: unknown } | null)?.code)];
}

const maxCauses = 5;

/** `/var/lib/x: this user may not use it`, where the machine and not the program is the cause of an error; else undefined. */
export function systemFault(error: unknown): string | undefined {
  let each = error;
  for (let depth = 0; depth < maxCauses && each instanceof Error; depth++, each = each.cause) {
    const { path } = each as NodeJS.ErrnoException;
    const reason = systemReason(each);
    if (reason !== undefined && typeof path === 'string') return `${path}: ${reason}`;
  }
  return undefined;
}
