/** HF-756x to 759x: keys of a device that are not in its folder, and authorities that are not a hub's. */
import { entry } from '../failure.ts'

export const deviceKeyFailures = {
  'key-elsewhere': entry(
    'HF-7560',
    'enrolment',
    'device',
    'conflict',
    'general',
    'the key of this device is not in its folder, and what was asked for needs it there or a way to it',
    'use a program that reaches the key where it is; `handfast agent status --dir <dir>` says where that is',
  ),
  'key-program-failed': entry(
    'HF-7561',
    'enrolment',
    'device',
    'local',
    'cause',
    'the program that reaches the key of this device did not do what was asked of it',
    'run it by hand as the user of the device software: is the token there, the module, the file of the PIN?',
  ),
  'key-reference-invalid': entry(
    'HF-7562',
    'enrolment',
    'device',
    'invalid',
    'general',
    'what says where the key of this device is cannot be used',
    'see docs/keys-elsewhere.md for what can stand there',
  ),
} as const
