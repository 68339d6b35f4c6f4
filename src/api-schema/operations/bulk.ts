/** Many devices at once. */
import { limits } from '../../core/limits.ts'
import { importLine, importQuery, importRow } from '../bulk.ts'
import * as example from '../examples.ts'
import { operation } from '../operation.ts'

const most = limits.importRowsMax.toLocaleString('en')

export const importDevices = operation({
  id: 'importDevices',
  act: 'device.register',
  method: 'POST',
  path: '/api/v1/devices/import',
  tag: 'devices',
  summary: 'Register many devices',
  description: `Up to ${most} devices in one body. Each row is taken or refused by itself; a row that is refused stops no other. The answer is a stream of lines, one for each row in order and a last one with the counts; an answer without that last line is not complete. With an \`Idempotency-Key\`, the same request goes on where it stopped: rows that were done are answered as before, with the same bootstrap strings. Without one, devices that were registered meanwhile are \`unchanged\`.`,
  query: importQuery,
  body: {
    kind: 'text',
    types: {
      'text/csv': {
        description:
          'UTF-8, with a header: `id`, and where wanted `group`, `state` and `attr.<name>`. One line is one row; an empty cell is nothing. Commas, semicolons or tabs, as the header has them.',
        example: 'id,group,attr.site\npump-7,line-2,hall-2\npump-8,line-2,hall-3\n',
      },
      'application/x-ndjson': {
        description: 'UTF-8, a JSON object in each line',
        example: '{"id":"pump-7","group":"line-2","attributes":{"site":"hall-2"}}\n{"id":"pump-8"}\n',
      },
    },
    line: importRow,
  },
  answer: {
    kind: 'text',
    status: 200,
    description: 'A line for each row.',
    types: {
      'application/x-ndjson': {
        description: 'a JSON object in each line',
        example: example.importLines.map((line) => `${JSON.stringify(line)}\n`).join(''),
      },
    },
    line: importLine,
  },
  keyed: true,
  failures: ['import-too-long', 'imports-too-many'],
})
