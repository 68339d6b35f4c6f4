// Ends with status 0 if the hub of this container answers on its plain HTTP listener; the slim image has no curl.
const port = process.env.HANDFAST_HTTP_PORT || '8080'
try {
  const response = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(3_000) })
  if (!response.ok) throw new Error(`it answers with status ${response.status}`)
} catch (error) {
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  process.stderr.write(`the hub is not healthy: ${error.message}${cause}\n`)
  process.exitCode = 1
}
