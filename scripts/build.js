// Makes what the npm package has and a clone has not; `--clean` takes it away again, so that a clone goes on running its
// sources. dist/ is src/ compiled: Node runs no TypeScript below node_modules. npm-shrinkwrap.json is the lock file under the
// one name that npm packs: who unpacks the package installs with `npm ci` just what was tested.
import { spawnSync } from 'node:child_process'
import { copyFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
rmSync(join(root, 'dist'), { recursive: true, force: true })
rmSync(join(root, 'npm-shrinkwrap.json'), { force: true })
if (process.argv.includes('--clean')) process.exit(0)
copyFileSync(join(root, 'package-lock.json'), join(root, 'npm-shrinkwrap.json'))
const { status } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['--project', 'tsconfig.build.json'], {
  cwd: root,
  stdio: ['ignore', 2, 2],
})
process.exit(status ?? 1)
