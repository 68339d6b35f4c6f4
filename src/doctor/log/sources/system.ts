/** The operating system: errors of sockets and files, in the words of libc, Node and the runtimes that repeat them. */
import type { Source } from '../sign.ts'

export const system: Source = {
  name: 'the operating system',
  phrases: [
    [
      /\b(?:ECONNREFUSED|Errno 111|actively refused it|connect: connection refused|BIO_connect:Connection refused|ConnectException: Connection refused)\b/,
      'port-refused',
    ],
    // Brokers refuse as well, in the same words and more behind them.
    [/\bConnection refused\b(?![:,] ?[a-z])/i, 'refused-in-words'],
    [
      /\b(?:Name or service not known|No address associated with hostname|nodename nor servname provided|no such host|No such host is known|ENOTFOUND|UnknownHostException|Lookup error|Could not resolve (?:host|proxy)|Cannot resolve)\b/i,
      'name-not-found',
    ],
    [/\b(?:Temporary failure in name resolution|EAI_AGAIN)\b/, 'name-not-resolved'],
    [
      /\b(?:Connection timed out|connect(?:ion)? timed out|Operation timed out|dial tcp [\d.:]+: i\/o timeout|ETIMEDOUT|did not properly respond after a period of time)\b/i,
      'port-silent',
    ],
    [/\b(?:No route to host|Network is unreachable|EHOSTUNREACH|ENETUNREACH)\b/, 'host-unreachable'],
    [
      /\b(?:Connection (?:was )?reset(?: by peer)?|ECONNRESET|forcibly closed by the remote host)\b/i,
      'connection-reset',
    ],
    [/\b(?:Broken pipe|EPIPE|Transport endpoint is not connected)\b/, 'closed-early'],
    [/\bconnect:errno=111\b/, 'port-refused'],
    [/\bwrite:errno=104\b/, 'connection-reset'],
    [/\b(?:FileNotFoundError|PermissionError|EACCES: permission denied, open|ENOENT)\b/, 'file-unopened'],
    [/\[Errno (?:2|13)\] (?:No such file or directory|Permission denied)/, 'file-unopened'],
    [/\bopen \S{1,200}: (?:no such file or directory|permission denied)/, 'file-unopened'],
    [/\bsystem library::?(?:file_open:)?(?:No such file or directory|Permission denied)\b/, 'file-unopened'],
    [/\bfile_ctrl:system lib\b|\buse_certificate_chain_file:system lib\b/, 'file-unopened'],
  ],
}
