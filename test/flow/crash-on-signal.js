// Loaded into a hub before it starts: SIGUSR2 ends it by an uncaught error that drags along all that Node knows of the process.
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.on('SIGUSR2', () => {
    process.stderr.write(`${JSON.stringify(process.report.getReport())}\n`)
    throw Object.assign(new Error('crash'), { env: { ...process.env }, argv: process.argv })
  })
}
