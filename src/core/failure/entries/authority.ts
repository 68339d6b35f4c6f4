/** HF-92xx: authorities, their keys, and how one takes the place of another. */
import { entry } from '../failure.ts'

export const authorityFailures = {
  'key-import-refused': entry(
    'HF-9201',
    'hub',
    'operator',
    'invalid',
    'cause',
    'a key that was to be taken in does not open, or is not the key of that authority',
    'give the file that `handfast ca export-key` wrote for this authority, and its passphrase',
  ),
  'authority-key-offline': entry(
    'HF-9202',
    'hub',
    'operator',
    'unavailable',
    'cause',
    'the key of this authority is not in the hub',
    'bring it back for the ceremony with `handfast ca import-key`, or have the request signed where the key is',
  ),
  'roll-over-open': entry(
    'HF-9203',
    'hub',
    'operator',
    'conflict',
    'cause',
    'a roll-over of this chain is under way',
    'see it with `handfast ca rotate status`; let it end, or take it back with `handfast ca rotate undo`',
  ),
  'roll-over-missing': entry(
    'HF-9204',
    'hub',
    'operator',
    'not-found',
    'cause',
    'no roll-over of this chain is under way',
    'see the chains with `handfast ca list`; name one with --chain',
  ),
  'roll-over-step-refused': entry(
    'HF-9205',
    'hub',
    'operator',
    'conflict',
    'cause',
    'the roll-over is not at a step that allows this',
    'see where it is with `handfast ca rotate status`',
  ),
  'chain-exists': entry(
    'HF-9206',
    'hub',
    'operator',
    'conflict',
    'cause',
    'there is a chain of this name',
    'choose another name; change its authorities with `handfast ca rotate`',
  ),
} as const
