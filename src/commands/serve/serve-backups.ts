import type { Clock } from '../../core/clock.ts';
import { BackupMaker } from '../../server/backup/make-backup.ts';
import type { DataFolder } from '../../server/host/data-folder.ts';
import type { Store } from '../../server/store/store.ts';
import { version } from '../installation.ts';

interface BackupParts {
  readonly folder: DataFolder;
  readonly store: Store;
  readonly clock: Clock;
  /** Files elsewhere that the server was started with. */
  readonly given: readonly string[];
}

export function backupsOf({ folder, store, clock, given }: BackupParts): BackupMaker {
  return new BackupMaker({
    folder: folder.path,
    copyStore: (file) => store.backup(file),
    configuration: given,
    about: () => ({
      version: version(),
      serverId: folder.identity().serverId,
      madeAt: new Date(clock.now()).toISOString(),
    }),
  });
}
