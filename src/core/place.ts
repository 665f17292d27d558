/** Where a data folder is. Two folders with one content are told apart by it. */
export interface Place {
  /** Of machine-id(5); empty where there is none. */
  readonly machineId: string;
  /** Inode and time of birth of the folder's lock: a copy of the file has others, the same file on a cloned disk has the same. */
  readonly lock: string;
}

export function isSamePlace(a: Place, b: Place): boolean {
  return a.machineId === b.machineId && a.lock === b.lock;
}
