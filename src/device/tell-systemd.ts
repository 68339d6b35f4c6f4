/**
 * Telling systemd how a service is (sd_notify(3)). Node has no datagram sockets of this kind, so systemd's own program does it;
 * the unit therefore needs `NotifyAccess=all`.
 */
import { spawn } from 'node:child_process'

/** @param state assignments such as `READY=1` or `STATUS=…`, one line each; nothing happens where nobody listens */
export function tellSystemd(...state: readonly string[]): void {
  if (process.env.NOTIFY_SOCKET === undefined) return
  const child = spawn('systemd-notify', state, { stdio: 'ignore' })
  // Without the program the service is as good as before; systemd says by itself that it has not heard of it.
  child.on('error', () => {})
}
