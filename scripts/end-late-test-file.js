// Ends the process of a test file that goes on for too long: a test that timed out may have left a loop behind that never ends, and
// the runner has a limit for each test but none for what keeps a file alive.
import { isMainThread } from 'node:worker_threads'

const minutesMax = 8

if (process.env.NODE_TEST_CONTEXT === 'child-v8' && isMainThread) {
  const end = () => {
    process.stderr.write(`error: ${process.argv[1]} has not ended after ${minutesMax} minutes and is ended\n`)
    process.exit(1)
  }
  setTimeout(end, minutesMax * 60_000).unref()
}
