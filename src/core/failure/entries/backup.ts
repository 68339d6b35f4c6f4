/** HF-912x and HF-913x: the journal, backups and what a restored one leaves. */
import { entry } from '../failure.ts'

export const backupFailures = {
  'journal-unavailable': entry(
    'HF-9120',
    'hub',
    'operator',
    'unavailable',
    'general',
    'the journal cannot be written, so nothing that gives or takes access is acknowledged',
    'free space on its disk or mend it, then ask again: what was done already is not done twice',
  ),
  'journal-damaged': entry(
    'HF-9121',
    'hub',
    'operator',
    'local',
    'general',
    'the journal is damaged where it was whole before',
    'copy it back from where it is mirrored; if it is lost, move it away and begin another: `handfast journal new`',
  ),
  'journal-missing': entry(
    'HF-9122',
    'hub',
    'operator',
    'local',
    'general',
    'the journal that this hub has kept is not there',
    'mount its disk or name its folder with --journal; if it is lost, begin another: `handfast journal new`',
  ),
  'journal-foreign': entry(
    'HF-9123',
    'hub',
    'operator',
    'conflict',
    'general',
    'the journal does not belong to this registry',
    'name the journal of this hub with --journal, or restore the registry that belongs to it: `handfast restore`',
  ),
  'journal-too-short': entry(
    'HF-9124',
    'hub',
    'operator',
    'conflict',
    'general',
    'the journal does not reach back to the registry, so nobody knows all that was revoked since',
    'restore a newer backup; docs/backup.md says what remains if there is none',
  ),
  'certificate-not-adopted': entry(
    'HF-9125',
    'certificate',
    'operator',
    'unavailable',
    'cause',
    'the certificate was issued after the backup that was restored, and nobody has adopted it yet',
    'see what waits and take it: `handfast adopt`',
  ),
} as const
