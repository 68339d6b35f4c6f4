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
  'device-files-of-another': entry(
    'HF-7563',
    'enrolment',
    'operator',
    'conflict',
    'general',
    'the credential that is to be written for a device is that of another one',
    'name the device that it is for, or the credential of the one that you mean',
  ),
  'key-unfit-for-platform': entry(
    'HF-7564',
    'enrolment',
    'operator',
    'invalid',
    'general',
    'the platform that the key is to be written for reads no key of that kind',
    'use an ECDSA key on P-256 or RSA of 2048 bits; `--key-type` chooses where one is made',
  ),
} as const
