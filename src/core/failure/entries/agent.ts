/** HF-75xx: what goes wrong on a device, in the hands of its agent. */
import { entry } from '../failure.ts'

export const agentFailures = {
  'agent-hook-failed': entry(
    'HF-7501',
    'enrolment',
    'device',
    'conflict',
    'cause',
    'a certificate was renewed, and what was to be done then has failed',
    'run the command by hand as the user of the agent and mend it; the agent does it again until it succeeds',
  ),
  'agent-proof-refused': entry(
    'HF-7502',
    'enrolment',
    'hub',
    'unauthenticated',
    'cause',
    'a new certificate has come and the hub does not let it in; the device goes on with the one that it had',
    'look on the hub for why: `handfast attempts --device <id>`; the agent tries again',
  ),
  'agent-clock-wrong': entry(
    'HF-7503',
    'enrolment',
    'device',
    'invalid',
    'cause',
    'the clock of this device is wrong, and no certificate can be judged with it',
    'set the clock (NTP), or fit a battery to it, and the agent goes on by itself; where the clock is right, remove `last_good_time` in the folder',
  ),
  'agent-running': entry(
    'HF-7504',
    'enrolment',
    'device',
    'conflict',
    'cause',
    'another agent looks after this folder',
    'let it: `handfast agent status --dir <dir>` shows what it does; or stop it first',
  ),
  'credential-changed': entry(
    'HF-7505',
    'enrolment',
    'device',
    'conflict',
    'cause',
    'the credential of the device was changed by others while it was renewed; theirs stays, and what had come is given up',
    'nothing need be done: the agent goes on with the credential that is there now',
  ),
} as const
